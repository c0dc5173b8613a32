"""What needs a second person in finance: the kinds of `backoffice.approvals`, one module for each."""
