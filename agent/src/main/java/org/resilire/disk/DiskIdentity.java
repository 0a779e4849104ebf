package org.resilire.disk;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * What one host tells the other about a disk before they replicate it.
 *
 * @param lengthBytes must be the same on both hosts
 * @param replica of the backup: which copy its image is; of the primary: which copy its bitmap is about
 * @param isEmpty nothing but a hole: there is nothing to compare with
 */
public record DiskIdentity(String name, long lengthBytes, UUID replica, boolean isEmpty) {

    private static final String SEPARATOR = " ";
    private static final int FIELDS = 4;

    /** One line a disk, in the order in which messages number them. */
    public static String encode(final List<DiskIdentity> disks) {
        final StringBuilder text = new StringBuilder();
        for (final DiskIdentity disk : disks) {
            text.append(disk.name)
                    .append(SEPARATOR)
                    .append(disk.lengthBytes)
                    .append(SEPARATOR)
                    .append(disk.replica)
                    .append(SEPARATOR)
                    .append(disk.isEmpty ? "empty" : "used")
                    .append('\n');
        }
        return text.toString();
    }

    /**
     * Takes such a text from another host.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static List<DiskIdentity> parse(final String text) {
        final List<DiskIdentity> disks = new ArrayList<>();
        final Set<String> names = new HashSet<>();
        for (final String line : text.lines().toList()) {
            final String[] fields = line.split(SEPARATOR, -1);
            if (fields.length != FIELDS || !DiskConfig.isName(fields[0]) || !names.add(fields[0])) {
                throw new IllegalArgumentException("a list of disks that cannot be read");
            }
            disks.add(new DiskIdentity(
                    fields[0], Long.parseLong(fields[1]), UUID.fromString(fields[2]), fields[3].equals("empty")));
            if (disks.size() > DiskConfig.MAX_DISKS) {
                throw new IllegalArgumentException("a list of more than " + DiskConfig.MAX_DISKS + " disks");
            }
        }
        return List.copyOf(disks);
    }

    /** Why disks of a primary cannot be replicated to those of a standby, in words; null if they can. */
    public static String difference(final List<DiskIdentity> primary, final List<DiskIdentity> standby) {
        for (int i = 0; i < Math.max(primary.size(), standby.size()); i++) {
            if (i >= standby.size()) {
                return "the primary has a disk " + primary.get(i).name
                        + ", the standby has not; give both agents the same --disk names";
            }
            if (i >= primary.size()) {
                return "the standby has a disk " + standby.get(i).name
                        + ", the primary has not; give both agents the same --disk names";
            }
            final DiskIdentity ours = primary.get(i);
            final DiskIdentity theirs = standby.get(i);
            if (!ours.name.equals(theirs.name)) {
                return "disk " + (i + 1) + " is " + ours.name + " on the primary, " + theirs.name
                        + " on the standby; give both agents the same --disk names in the same order";
            }
            if (ours.lengthBytes != theirs.lengthBytes) {
                return "disk " + ours.name + " has " + ours.lengthBytes + " bytes on the primary, " + theirs.lengthBytes
                        + " on the standby; make its image there exactly as long";
            }
        }
        return null;
    }
}
