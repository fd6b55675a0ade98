"""Where archives are kept: a directory, a bucket of S3, a volume of the host cluster. Four verbs, whatever it is (`protocol`)."""
