"""A hub on this machine: repositories, one commit each, over HTTP with ranges.

What a test wants to go wrong is told to it beforehand: connections that break, other contents.
"""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

COMMIT = "a" * 40


class FakeHub:
    """`url` is its address; `requests` are the (method, path, range) that came, `tokens` who sent
    them. Files named in `elsewhere` are handed out by another host, as the real hub does it."""

    def __init__(self):
        self.repositories, self.files, self.requests = {}, {}, []
        self.tokens, self.elsewhere = [], {}
        self.cuts, self.instead, self.no_ranges = {}, {}, False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def add(self, repository, folder, commit=COMMIT):
        """A repository with the files of a folder."""
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        self.repositories[repository] = (commit, files)
        for name, content in files.items():
            for revision in ("main", commit):
                self.files[f"/{repository}/resolve/{revision}/{name}"] = (content, commit)

    def fetched(self, end):
        """How often the content of files whose path ends so was asked for, and from where on."""
        return [r for method, path, r in self.requests if method == "GET" and path.endswith(end)]

    def _handler(hub):
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_HEAD(self):
                self._answer(False)

            def do_GET(self):
                self._answer(True)

            def _answer(self, body):
                path = urlsplit(self.path).path
                hub.requests.append((self.command, path, self.headers.get("Range")))
                hub.tokens.append(self.headers.get("Authorization"))
                if path.startswith("/api/models/"):
                    self._about(path.removeprefix("/api/models/"))
                elif path in hub.files:
                    self._file(path, body)
                else:
                    self.send_error(404)

            def _about(self, what):
                repository, _, revision = what.partition("/revision/")
                commit, files = hub.repositories.get(repository, (None, {}))
                if revision not in ("", "main", commit) or commit is None:
                    kind = "RevisionNotFound" if commit else "RepoNotFound"
                    self.send_response(404)
                    self.send_header("X-Error-Code", kind)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                siblings = [_sibling(name, content) for name, content in files.items()]
                about = {"id": repository, "sha": commit, "siblings": siblings}
                text = json.dumps(about).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def _file(self, path, body):
                content, commit = hub.files[path]
                announced = digest(path.rpartition("/")[2], content)
                if host := hub.elsewhere.get(path.rpartition("/")[2]):
                    self.send_response(302)
                    self.send_header("Location", f"{host}{path}")
                    self.send_header("X-Repo-Commit", commit)
                    self.send_header("X-Linked-ETag", f'"{announced}"')
                    self.send_header("X-Linked-Size", str(len(content)))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                content = hub.instead.get(path.rpartition("/")[2], content)
                start, code = 0, 200
                asked = self.headers.get("Range")
                if asked and not hub.no_ranges:
                    start, code = int(asked.removeprefix("bytes=").rstrip("-")), 206
                self.send_response(code)
                self.send_header("X-Repo-Commit", commit)
                self.send_header("ETag", f'"{announced}"')
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                if not body:
                    return
                cuts = hub.cuts.get(path.rpartition("/")[2])
                if cuts:
                    self.wfile.write(content[start : start + cuts.pop(0)])
                    self.close_connection = True
                else:
                    self.wfile.write(content[start:])

        return Handler


def digest(name, content):
    """The hash that a hub announces a file with."""
    if name.endswith(".safetensors"):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _sibling(name, content):
    about = {"rfilename": name, "size": len(content)}
    if name.endswith(".safetensors"):
        lfs = {"sha256": digest(name, content), "size": len(content), "pointerSize": 130}
        return {**about, "blobId": "b" * 40, "lfs": lfs}
    return {**about, "blobId": digest(name, content)}
