package org.resilire.guest;

/** A guest cannot be protected; its message is one line for the user: what is wrong, where, and what to do. */
public final class AttachException extends GuestException {

    private static final long serialVersionUID = 1L;

    private final AttachProblem problem;

    public AttachException(final AttachProblem problem, final String message) {
        super(message);
        this.problem = problem;
    }

    public AttachException(final AttachProblem problem, final String message, final Throwable cause) {
        super(message, cause);
        this.problem = problem;
    }

    public AttachProblem problem() {
        return problem;
    }
}
