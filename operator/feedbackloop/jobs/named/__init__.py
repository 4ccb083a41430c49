"""Names and addresses of people: replaced by typed tokens in a data set's rows, before anything is trained on them.

Needs a language model, which the admin supplies with the curate job's environment (`choosing`). The rows are
handed to it in pieces of bounded size (`pieces`); what it finds becomes tokens that are the same for the same
name within a row (`rows`). Without a model nothing is replaced, and the result says so.
"""
