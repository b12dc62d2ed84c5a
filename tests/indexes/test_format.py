"""The format on disk: a change of this test needs a new format version."""

import sqlite3

SCHEMA = {
    "identity": "index_id VARCHAR",
    "galleries": "id INTEGER, kind VARCHAR!, root VARCHAR!, options VARCHAR!, reader VARCHAR!, "
    "exclude VARCHAR!",
    "spaces": (
        "id INTEGER, name VARCHAR!, model VARCHAR!, fingerprint VARCHAR!, dim INTEGER!, "
        "preprocessing VARCHAR!, generation INTEGER!, encoder VARCHAR!"
    ),
    "pictures": (
        "id INTEGER, gallery_id INTEGER!, path VARCHAR!, size INTEGER!, mtime_ns INTEGER!, "
        "content_hash VARCHAR, width INTEGER, height INTEGER, exif_date DATETIME, "
        "exif_orientation INTEGER, state VARCHAR!, error VARCHAR, "
        "ctime_ns INTEGER, inode INTEGER, pixel_hash VARCHAR, frames INTEGER, "
        "needs_decoder VARCHAR, missing_since DATETIME"
    ),
    "coverage": "space_id INTEGER, gallery_id INTEGER",
    "precisions": "space_id INTEGER, precision VARCHAR!",
    "part_vectors": (
        "space_id INTEGER, picture_id INTEGER, part INTEGER, left REAL!, top REAL!, "
        "right REAL!, bottom REAL!, vector BLOB!"
    ),
    "vectors": "space_id INTEGER, picture_id INTEGER, vector BLOB!",
    "details": "picture_id INTEGER, reader INTEGER!, camera VARCHAR, lens VARCHAR, "
    "latitude REAL, longitude REAL, rating INTEGER",
    "tags": "picture_id INTEGER, key VARCHAR, origin VARCHAR, tag VARCHAR!",
    "published": "space_id INTEGER, generation INTEGER!, size INTEGER!, sha256 VARCHAR!",
}


def _columns(connection, table):
    rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return ", ".join(
        f"{name} {kind}{'!' if required and not key else ''}"
        for _, name, kind, required, _, key in rows
    )


def test_format_version_3(filled, folder, make_vector):
    filled.publish()
    filled.close()
    assert {entry.name for entry in folder.iterdir()} <= {
        "catalogue.sqlite3",
        "vectors-1.faiss",
        "write.lock",
    }
    connection = sqlite3.connect(folder / "catalogue.sqlite3")
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    assert connection.execute("PRAGMA application_id").fetchone() == (0x344D3231,)
    tables = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    ]
    assert {table: _columns(connection, table) for table in tables} == SCHEMA
    (blob,) = connection.execute("SELECT vector FROM vectors WHERE picture_id = 4").fetchone()
    assert blob == make_vector(3).astype("<f4").tobytes()
    assert connection.execute("SELECT kind FROM galleries").fetchall() == [("image",)]
    connection.close()


def test_queries_use_sql_indices(filled, folder):
    filled.close()
    connection = sqlite3.connect(folder / "catalogue.sqlite3")
    for query in (
        "SELECT * FROM pictures WHERE id IN (1, 2, 3)",
        "SELECT id FROM pictures WHERE gallery_id = 1 AND path IN ('a', 'b')",
        "SELECT * FROM pictures WHERE state = 'skipped'",
        "SELECT * FROM pictures WHERE content_hash = 'aa'",
        "SELECT vector FROM vectors WHERE space_id = 1 ORDER BY picture_id",
        "DELETE FROM vectors WHERE picture_id IN (1, 2)",
        "SELECT vector FROM part_vectors WHERE space_id = 1 ORDER BY picture_id, part",
        "DELETE FROM part_vectors WHERE picture_id IN (1, 2)",
    ):
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
        assert all(step.startswith("SEARCH") for step in plan), (query, plan)
    connection.close()
