"""Arguments in, text out, exit codes: nothing here computes."""
