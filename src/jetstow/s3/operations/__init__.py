"""The operations of S3, one file each: a function that takes a `Call` and returns a `Result`.

It raises `S3Error`, or an error of jetstow, which becomes one (`errors.to_s3_error`). The route
table (`routes`) has a line for each.
"""
