"""What the schema refused, for its owners: to list, to read, and to replay when the schema is mended.

GET  /v1/badrows?code=&limit=&after=&replayed=     GET /v1/badrows/<id>     POST /v1/badrows:replay
"""
