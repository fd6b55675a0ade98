"""The first cause of a failure: what is wrong with a lab at this moment, each cause a sentence, first causes first."""
