"""Events: their schema, redaction, encryption and storage formats. Shared by gateway and jobs; knows neither."""
