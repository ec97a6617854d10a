"""Page: the parts that all pages of the dashboard share: the frame, forms, queries, values in words, charts."""
