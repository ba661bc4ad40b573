"""Writes the files beside it: pip install pyarrow pandas fastparquet duckdb polars, then run it here."""
import datetime as dt
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

HOURS = 24
ts = pd.date_range("2024-05-06T00:00", periods=HOURS, freq="60min")
halves = [hour + 0.5 for hour in range(HOURS)]
utc = pa.array(ts, type=pa.timestamp("us", tz="UTC"))
values = pa.array(halves)
texts = [f"{instant.isoformat()}Z" for instant in ts]
decimals = [Decimal(str(value)) for value in halves]
days = [dt.date(2024, 5, 6) + dt.timedelta(days=day) for day in range(HOURS)]


def write(name, times=utc, kw=values, **options):
    table = pa.Table.from_arrays([times, kw], names=["ts", "kw"])
    pq.write_table(table, f"{name}.parquet", **{"compression": "none"} | options)


# Codecs.
for codec in ["gzip", "brotli", "lz4", "zstd", "snappy", "none"]:
    write(f"codec-{codec}", compression=codec)
write("pages-of-version-2", compression="gzip", data_page_version="2.0")
write("small-pages", data_page_size=64, write_batch_size=4, compression="zstd")
write("row-groups", row_group_size=5)
write("checksums", write_page_checksum=True)
write("delta", kw=pa.array(range(HOURS)), use_dictionary=False,
      column_encoding={"ts": "DELTA_BINARY_PACKED", "kw": "DELTA_BINARY_PACKED"})
write("delta-text", times=pa.array(texts), use_dictionary=False, column_encoding={"ts": "DELTA_BYTE_ARRAY"})
write("byte-stream-split", use_dictionary=False, column_encoding={"kw": "BYTE_STREAM_SPLIT"})

# Timestamps and dates; int96 is what Spark writes by default.
for unit in ["s", "ms", "us", "ns"]:
    write(f"timestamp-{unit}", times=pa.array(ts, type=pa.timestamp(unit, tz="Europe/Berlin")))
    write(f"timestamp-{unit}-naive", times=pa.array(ts, type=pa.timestamp(unit)))
write("int96", use_deprecated_int96_timestamps=True)
write("date32", times=pa.array(days))
write("date64", times=pa.array(days, type=pa.date64()))

# Numbers.
for kind in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]:
    write(kind, kw=pa.array(range(HOURS), type=getattr(pa, kind)()))
write("float16", kw=pa.array(np.array(halves, dtype=np.float16)))
write("float32", kw=values.cast(pa.float32()))
for precision in [7, 15, 30, 60]:
    kind = pa.decimal128 if precision < 39 else pa.decimal256
    write(f"decimal-{precision}", kw=pa.array(decimals, type=kind(precision, 3)))
write("decimal-as-integer", kw=pa.array(decimals, type=pa.decimal128(7, 3)), store_decimal_as_integer=True)

# Text.
write("text", times=pa.array(texts), kw=pa.array([str(value) for value in halves]))
write("text-large", times=pa.array(texts, type=pa.large_string()))
write("text-view", times=pa.array(texts, type=pa.string_view()))
write("text-unmarked", times=pa.array([text.encode() for text in texts], type=pa.binary()))
write("dictionary", times=pa.array(texts).dictionary_encode(), kw=values.dictionary_encode())

# Whole programs.
frame = pd.DataFrame({"ts": ts.tz_localize("UTC"), "kw": halves})
frame.to_parquet("pandas.parquet")
frame.set_index("ts").to_parquet("pandas-index.parquet")
frame.assign(kw=pd.Categorical(halves)).to_parquet("pandas-categories.parquet")
frame.to_parquet("fastparquet.parquet", engine="fastparquet", compression="gzip")
pl.DataFrame({"ts": ts.tz_localize("UTC").to_pydatetime().tolist(), "kw": halves}).write_parquet("polars.parquet")
duckdb.sql("""create table t as select timestamptz '2024-05-06 00:00+00' + i * interval 1 hour ts,
              (i + 0.5)::decimal(10, 3) kw from range(24) r(i)""")
for codec in ["snappy", "zstd", "gzip", "brotli", "lz4_raw"]:
    duckdb.sql(f"copy t to 'duckdb-{codec}.parquet' (format parquet, codec '{codec}')")
duckdb.sql("copy t to 'duckdb-version-2.parquet' (format parquet, parquet_version v2)")

# What is refused.
pq.write_table(pa.Table.from_arrays([utc, values, values], names=["ts", "kw", "kw"]), "wrong-twice.parquet")
write("wrong-list", kw=pa.array([[1.0]] * HOURS))
write("wrong-duration", kw=pa.array(range(HOURS), type=pa.duration("s")))
write("wrong-bytes", times=pa.array([b"\xff\xfe"] * HOURS, type=pa.binary()))
write("wrong-null", kw=pa.array([None, *halves[1:]]))
write("wrong-year", times=pa.array([2**62] * HOURS, type=pa.timestamp("ms", tz="UTC")))
