"""The case of lab 16: networks with a hidden fault, and a court that weighs the evidence."""
