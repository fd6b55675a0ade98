"""Where clusters come from. A provider is one file and one entry in `lab.providers.registry`."""
