"""The paper's figures and tables again: what is run, what the paper claims, and whether it holds."""
