"""What viewers did, and the evidence of every decision to let somebody watch."""
