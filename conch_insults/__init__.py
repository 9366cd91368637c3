"""An insult shell behind SSH: one line logic, four doors."""
