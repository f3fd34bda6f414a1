"""Reading, writing, splitting and encoding of annotated sentences and reports."""
