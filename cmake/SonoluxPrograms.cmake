# The command line and the samples.
