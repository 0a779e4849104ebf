package org.resilire.testbed.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.resilire.testbed.TestbedException;

/** A Java program of the test bed in the client's namespace that is told things in lines and answers in lines. Not thread-safe. */
public final class TalkingProgram implements AutoCloseable {

    private final LabProcess process;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

    private TalkingProgram(final LabProcess process) {
        this.process = process;
    }

    /**
     * Starts it; returns at once.
     *
     * @param name of the process, in messages and of its log
     * @param program has a main method
     */
    public static TalkingProgram start(
            final Lab lab, final String name, final Class<?> program, final List<String> arguments) {
        final List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                // Small and quick to start: the machine is needed for the guest.
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                program.getName()));
        command.addAll(arguments);
        final TalkingProgram started = new TalkingProgram(lab.startTalking(name, lab.client(), command));
        Thread.ofPlatform().name(name + "-answers").daemon().start(started::readAnswers);
        return started;
    }

    /** An empty answer stands for the end. */
    private void readAnswers() {
        try (BufferedReader output = process.output()) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                answers.add(line);
            }
        } catch (final IOException closed) {
            // The same as its end.
        }
        answers.add("");
    }

    /**
     * Tells it a line.
     *
     * @throws TestbedException if it has ended
     */
    public void tell(final String line) {
        try {
            process.input().write(line + "\n");
            process.input().flush();
        } catch (final IOException failure) {
            throw new TestbedException(hasEnded(), failure);
        }
    }

    /**
     * Waits for its next line.
     *
     * @param to what it answers with that, for the message if it does not
     * @throws TestbedException if it says nothing within the limit, or has ended
     */
    public String awaitAnswer(final String to, final Duration limit) {
        try {
            final String answer = answers.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
            if (answer == null) {
                throw new TestbedException("the " + process.name() + " did not answer " + to + " within "
                        + limit.toSeconds() + " s" + process.logTail());
            }
            if (answer.isEmpty()) {
                throw new TestbedException(hasEnded());
            }
            return answer;
        } catch (final InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new TestbedException("interrupted while waiting for the " + process.name(), interrupted);
        }
    }

    private String hasEnded() {
        return "the " + process.name() + " has ended" + process.logTail();
    }

    @Override
    public void close() {
        process.close();
    }
}
