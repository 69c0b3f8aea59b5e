"""Lambda's Runtime API for one process: hands it events, one after the other, and gives its answers."""

import http.server
import json
import queue
import subprocess
import threading
import time


class Function:
    """A running function. Use it in a with statement."""

    def __init__(self, command, env, log=None):
        self.events, self.answers = queue.Queue(), queue.Queue()
        self.asked = threading.Event()
        function = self

        class RuntimeAPI(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # .../invocation/next
                function.asked.set()
                number, event, deadline = function.events.get()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", f"00000000-0000-4000-8000-{number:012d}")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline))
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self):  # .../invocation/<id>/response or error
                body = b""
                if length := self.headers["Content-Length"]:
                    body = self.rfile.read(int(length))
                else:
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                function.answers.put((self.path.rsplit("/", 1)[-1], json.loads(body)))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RuntimeAPI)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        env = env | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}"}
        self.process = subprocess.Popen(command, env=env, stdout=log)
        self.invocations = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.server.shutdown()

    def invoke(self, event, seconds=120):
        """Give ("response", payload) or ("error", payload); queue.Empty if none comes in time."""
        self.invocations += 1
        self.events.put((self.invocations, event, int((time.time() + seconds) * 1000)))
        return self.answers.get(timeout=seconds)
