"""What docker-py does with containers, execs, events and files, over its public API, against the engine at DOCKER_HOST."""
import datetime
import io
import socket
import struct
import tarfile
import threading
import time
import unittest

import docker
from docker import types

client = docker.from_env()
api = client.api


def read_all(sock):
    """Everything of a hijacked connection until it ends."""
    raw = getattr(sock, "_sock", sock)
    data = b""
    while True:
        piece = raw.recv(4096)
        if not piece:
            return data
        data += piece


def frames(data):
    found = []
    while data:
        kind, size = struct.unpack(">BxxxL", data[:8])
        found.append((kind, data[8 : 8 + size]))
        data = data[8 + size :]
    return found


class Case(unittest.TestCase):
    def setUp(self):
        self.addCleanup(self.clean)

    def clean(self):
        for one in client.containers.list(all=True):
            try:
                one.remove(force=True, v=True)
            except docker.errors.NotFound:
                pass

    def run_it(self, command, **more):
        return client.containers.run("busybox", command, detach=True, **more)


class Run(Case):
    def test_output_and_errors(self):
        self.assertEqual(client.containers.run("busybox", "echo hello", remove=True), b"hello\n")
        out = client.containers.run("busybox", ["sh", "-c", "echo out; echo err >&2"], stderr=True, remove=True)
        self.assertEqual(sorted(out.split()), [b"err", b"out"])
        with self.assertRaises(docker.errors.ContainerError) as caught:
            client.containers.run("busybox", ["sh", "-c", "echo bad >&2; exit 3"], remove=True)
        self.assertEqual((caught.exception.exit_status, caught.exception.stderr), (3, b"bad\n"))
        with self.assertRaises(docker.errors.ImageNotFound):
            client.containers.create("nosuch-image-here")
        with self.assertRaises(docker.errors.APIError) as caught:
            client.containers.run("busybox", "nosuchcommand", remove=True)
        self.assertEqual(caught.exception.status_code, 400)
        with self.assertRaises(docker.errors.NotFound):
            client.containers.get("nosuch")

    def test_settings(self):
        one = self.run_it(
            ["sh", "-c", "id -u; hostname; pwd; echo $A; ulimit -n; cat /proc/sys/net/ipv4/ip_forward; df -k /t | tail -1; grep foo /etc/hosts"],
            user="1000", hostname="box", working_dir="/tmp", environment={"A": "1"},
            ulimits=[types.Ulimit(name="nofile", soft=99, hard=99)], sysctls={"net.ipv4.ip_forward": 0},
            tmpfs={"/t": "size=1m"}, extra_hosts={"foo": "1.2.3.4"}, mem_limit="64m", cpu_shares=77, pids_limit=50,
            labels={"k": "v"}, cap_drop=["ALL"], read_only=True, init=True, shm_size="8m", stop_signal="SIGINT",
            restart_policy={"Name": "on-failure", "MaximumRetryCount": 2}, log_config=types.LogConfig(type="json-file", config={"max-size": "1m"}),
        )
        self.assertEqual(one.wait()["StatusCode"], 0)
        lines = one.logs().decode().split("\n")
        self.assertEqual(lines[:6], ["1000", "box", "/tmp", "1", "99", "0"])
        self.assertIn("1024", lines[6])
        self.assertIn("1.2.3.4", lines[7])
        host = one.attrs["HostConfig"]
        self.assertEqual((host["Memory"], host["CpuShares"], host["PidsLimit"]), (64 << 20, 77, 50))
        self.assertEqual(one.labels, {"k": "v"})
        self.assertEqual(one.attrs["HostConfig"]["RestartPolicy"]["MaximumRetryCount"], 2)

    def test_life(self):
        one = client.containers.create("busybox", "sleep 1000", name="lifer")
        self.assertEqual(one.status, "created")
        one.start()
        one.start()  # 304 is no error
        one.reload()
        self.assertEqual(one.status, "running")
        one.pause()
        one.reload()
        self.assertEqual(one.status, "paused")
        one.unpause()
        one.rename("renamed")
        self.assertEqual(client.containers.get("renamed").id, one.id)
        one.update(mem_limit="32m", memswap_limit="64m")
        one.reload()
        self.assertEqual(one.attrs["HostConfig"]["Memory"], 32 << 20)
        self.assertIn("sleep", " ".join(one.top()["Processes"][0]))
        one.restart(timeout=0)
        one.kill("SIGKILL")
        self.assertEqual(one.wait()["StatusCode"], 137)
        one.reload()
        self.assertEqual((one.status, one.attrs["State"]["ExitCode"]), ("exited", 137))
        with self.assertRaises(docker.errors.APIError) as caught:
            one.kill()
        self.assertEqual(caught.exception.status_code, 409)
        one.start()
        one.stop(timeout=0)
        one.remove()
        with self.assertRaises(docker.errors.NotFound):
            one.reload()

    def test_wait_conditions(self):
        one = self.run_it(["sh", "-c", "sleep 0.3; exit 5"])
        self.assertEqual(one.wait(condition="next-exit")["StatusCode"], 5)
        self.assertEqual(one.wait(condition="not-running")["StatusCode"], 5)
        threading.Timer(0.3, one.remove).start()
        self.assertEqual(one.wait(condition="removed")["StatusCode"], 5)
        gone = self.run_it("sleep 0.2", auto_remove=True)
        self.assertEqual(gone.wait(condition="removed")["StatusCode"], 0)
        slow = self.run_it("sleep 10")
        with self.assertRaises(Exception):
            slow.wait(timeout=0.3)

    def test_lists(self):
        self.run_it("sleep 1000", name="one", labels=["a"])
        client.containers.create("busybox", "true", name="two", labels={"a": "b"})
        names = lambda **more: sorted(c.name for c in client.containers.list(**more))
        self.assertEqual(names(), ["one"])
        self.assertEqual(names(all=True), ["one", "two"])
        self.assertEqual(names(all=True, filters={"label": ["a=b"]}), ["two"])
        self.assertEqual(names(filters={"status": "created"}), ["two"])
        self.assertEqual(names(all=True, filters={"name": "tw"}), ["two"])
        self.assertEqual(names(all=True, filters={"ancestor": "busybox"}), ["one", "two"])
        self.assertEqual([c.name for c in client.containers.list(limit=1)], ["two"])
        self.assertEqual(names(filters={"since": "one"}), ["two"])
        self.assertEqual(client.containers.prune()["ContainersDeleted"].__len__(), 1)

    def test_health(self):
        one = self.run_it("sleep 1000", healthcheck={"test": ["CMD-SHELL", "test -e /ok"], "interval": 200_000_000, "retries": 1})
        until = time.time() + 20
        state = lambda: (one.reload(), one.attrs["State"]["Health"]["Status"])[1]
        while state() != "unhealthy":
            self.assertLess(time.time(), until)
            time.sleep(0.1)
        one.exec_run("touch /ok")
        while state() != "healthy":
            self.assertLess(time.time(), until)
            time.sleep(0.1)

    def test_stats_and_info(self):
        one = self.run_it("sleep 1000")
        sample = one.stats(stream=False)
        self.assertGreater(sample["memory_stats"]["usage"], 0)
        self.assertGreater(sample["precpu_stats"]["system_cpu_usage"], 0)
        stream = one.stats(decode=True)
        self.assertEqual(next(stream)["id"], one.id)
        self.assertEqual(next(stream)["name"], "/" + one.name)
        self.assertTrue(client.ping())
        self.assertEqual(client.info()["ContainersRunning"], 1)
        self.assertIn("ApiVersion", client.version())
        df = client.df()
        self.assertEqual([c["Id"] for c in df["Containers"]], [one.id])


class Logs(Case):
    def test_logs(self):
        one = self.run_it(["sh", "-c", "echo one; sleep 1.2; echo two; sleep 0.2; echo three >&2"])
        self.assertEqual(b"".join(one.logs(stream=True, follow=True)), b"one\ntwo\nthree\n")
        self.assertEqual(one.logs(tail=1), b"three\n")
        self.assertEqual(one.logs(stderr=False), b"one\ntwo\n")
        self.assertRegex(one.logs(timestamps=True, tail=1), rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z three\n")
        first = one.logs(timestamps=True, stderr=False).decode().split("\n")[0].split(" ")[0]
        moment = datetime.datetime.strptime(first[:26], "%Y-%m-%dT%H:%M:%S.%f")
        self.assertEqual(one.logs(since=moment + datetime.timedelta(seconds=1)), b"two\nthree\n")
        self.assertEqual(one.logs(until=moment + datetime.timedelta(seconds=1)), b"one\n")

    def test_attach(self):
        one = client.containers.create("busybox", ["sh", "-c", "echo a; echo b >&2; read x; echo got $x"], stdin_open=True)
        sock = one.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        one.start()
        sock._sock.sendall(b"words\n")
        got = frames(read_all(sock))
        self.assertEqual(b"".join(d for k, d in got if k == 1), b"a\ngot words\n")
        self.assertEqual(b"".join(d for k, d in got if k == 2), b"b\n")
        again = client.containers.create("busybox", ["sh", "-c", "echo x; echo y >&2"])
        stream = again.attach(stream=True, demux=True)
        again.start()
        pairs = list(stream)
        self.assertEqual(b"".join(o for o, _ in pairs if o), b"x\n")
        self.assertEqual(b"".join(e for _, e in pairs if e), b"y\n")

    def test_tty(self):
        one = client.containers.create("busybox", "sh", tty=True, stdin_open=True)
        sock = one.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        one.start()
        one.resize(height=33, width=111)
        time.sleep(0.3)
        sock._sock.sendall(b"stty size; exit\n")
        self.assertIn(b"33 111", read_all(sock))


class Exec(Case):
    def test_exec(self):
        one = self.run_it("sleep 1000")
        self.assertEqual(one.exec_run("echo hi"), (0, b"hi\n"))
        self.assertEqual(one.exec_run(["sh", "-c", "exit 4"]).exit_code, 4)
        self.assertEqual(one.exec_run(["sh", "-c", "echo o; echo e >&2"], demux=True).output, (b"o\n", b"e\n"))
        self.assertEqual(b"".join(one.exec_run("seq 3", stream=True).output), b"1\n2\n3\n")
        self.assertEqual(one.exec_run("id -u", user="1000").output, b"1000\n")
        self.assertEqual(one.exec_run("pwd", workdir="/tmp").output, b"/tmp\n")
        self.assertEqual(one.exec_run(["sh", "-c", "echo $A"], environment={"A": "b"}).output, b"b\n")
        self.assertIn(one.exec_run("nosuch").exit_code, (126, 127))
        made = api.exec_create(one.id, "cat", stdin=True)
        sock = api.exec_start(made["Id"], socket=True)
        sock._sock.sendall(b"through\n")
        sock._sock.shutdown(socket.SHUT_WR)
        self.assertEqual(frames(read_all(sock)), [(1, b"through\n")])
        self.assertEqual(api.exec_inspect(made["Id"])["ExitCode"], 0)
        quiet = api.exec_create(one.id, "sleep 0.2")
        api.exec_start(quiet["Id"], detach=True)
        self.assertTrue(api.exec_inspect(quiet["Id"])["Running"])
        self.assertIn(b"\r\n", one.exec_run("echo tty", tty=True).output)
        one.stop(timeout=0)
        with self.assertRaises(docker.errors.APIError) as caught:
            one.exec_run("true")
        self.assertEqual(caught.exception.status_code, 409)


class Files(Case):
    def test_archives(self):
        one = client.containers.create("busybox", "true")
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            info = tarfile.TarInfo("f")
            info.size = 5
            info.uid = 7
            tar.addfile(info, io.BytesIO(b"words"))
        self.assertTrue(one.put_archive("/tmp", buffer.getvalue()))
        bits, stat = one.get_archive("/tmp/f")
        self.assertEqual((stat["name"], stat["size"]), ("f", 5))
        with tarfile.open(fileobj=io.BytesIO(b"".join(bits))) as tar:
            self.assertEqual((tar.extractfile("f").read(), tar.getmember("f").uid), (b"words", 7))
        with self.assertRaises(docker.errors.NotFound):
            one.get_archive("/nosuch")
        one.start()
        one.wait()
        self.assertIn({"Path": "/tmp/f", "Kind": 1}, one.diff())
        with tarfile.open(fileobj=io.BytesIO(b"".join(one.export()))) as tar:
            self.assertIn("tmp/f", tar.getnames())
        image = one.commit(repository="made-by-py", tag="one", changes='CMD ["cat", "/tmp/f"]')
        self.assertEqual(client.containers.run("made-by-py:one", remove=True), b"words")
        client.images.remove(image.id, force=True)

    def test_mounts(self):
        volume = client.volumes.create("pyvol")
        self.addCleanup(volume.remove)
        client.containers.run("busybox", "touch /data/f", volumes={"pyvol": {"bind": "/data", "mode": "rw"}}, remove=True)
        mount = types.Mount(target="/m", source="pyvol", read_only=True)
        self.assertEqual(client.containers.run("busybox", "ls /m", mounts=[mount], remove=True), b"f\n")
        one = client.containers.create("busybox", "true", mounts=[mount])
        self.assertEqual([(m["Name"], m["RW"]) for m in one.attrs["Mounts"]], [("pyvol", False)])
        one.remove()


class Events(Case):
    def test_events(self):
        since = int(time.time())
        stream = client.events(decode=True, filters={"type": "container"})
        one = self.run_it("true", name="eventful")
        one.wait()
        seen = []
        for event in stream:
            if event["Actor"]["Attributes"]["name"] == "eventful":
                seen.append(event["Action"])
            if event["Action"] == "die":
                break
        stream.close()
        self.assertEqual(seen, ["create", "start", "die"])
        time.sleep(1.1)
        replay = list(client.events(since=since, until=int(time.time()), decode=True, filters={"container": "eventful"}))
        actions = [e["Action"] for e in replay if e["Type"] == "container"]
        self.assertEqual(actions, ["create", "start", "die"])
        self.assertEqual(replay[0]["status"], "create")


class Networks(Case):
    def test_names(self):
        net = client.networks.create("pynet")
        self.addCleanup(net.remove)
        self.addCleanup(self.clean)
        self.run_it("sleep 1000", name="server", network="pynet")
        out = client.containers.run("busybox", "ping -c 1 -W 3 server", network="pynet", remove=True)
        self.assertIn(b"1 packets received", out)
        other = self.run_it("sleep 1000")
        net.connect(other, aliases=["friend"])
        other.reload()
        self.assertIn("pynet", other.attrs["NetworkSettings"]["Networks"])
        net.disconnect(other)


if __name__ == "__main__":
    unittest.main(verbosity=2)
