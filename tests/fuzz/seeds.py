#!/usr/bin/env python3
"""Writes the hand-made inputs of the corpus: `tests/fuzz/seeds.py`. Inputs found later are files of their own (`found-*`)
and stay as they are."""

import json
import pathlib
import struct

ROOT = pathlib.Path(__file__).parent / "corpus"
HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SHA = "sha256:" + HEX
ID = "21c5779a813c5c694664e6123543c03b3a0bc36abf0877090c805d5c213ab951"
EVIL = "x\x1b[2J\x1b]52;c;eA==\x07\u202e\u200b\u0301\x9b31m\ud55c\u4e16\U0001f469\u200d\U0001f680"


def put(target, name, content):
    if isinstance(content, str):
        content = content.encode()
    folder = ROOT / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def each(target, inputs):
    for number, content in enumerate(inputs, 1):
        put(target, f"{number:02}", content)


# -- tar -------------------------------------------------------------------------------------------------------------


def header(name, size=0, kind=b"0", link=b"", mode=0o644, magic=b"ustar\x0000", prefix=b"", major=0, minor=0, uid=0):
    number = lambda value, width: b"%0*o\0" % (width - 1, value)
    block = bytearray(512)
    fields = [
        (0, name[:100]), (100, number(mode, 8)), (108, number(uid, 8)), (116, number(0, 8)),
        (124, number(size, 12) if isinstance(size, int) else size), (136, number(1_000_000_000, 12)), (156, kind),
        (157, link[:100]), (257, magic), (329, number(major, 8)), (337, number(minor, 8)), (345, prefix),
    ]
    for at, value in fields:
        block[at:at + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def member(name, data=b"", **fields):
    return header(name, size=len(data), **fields) + data + b"\0" * (-len(data) % 512)


def pax(*records, kind=b"x"):
    data = b""
    for key, value in records:
        body = b" " + key + b"=" + value + b"\n"
        length = len(body) + 1
        while len(body) + len(str(length)) != length:
            length = len(body) + len(str(length))
        data += str(length).encode() + body
    return member(b"PaxHeaders/x", data, kind=kind)


def directory(name, **fields):
    return member(name, kind=b"5", mode=fields.pop("mode", 0o755), **fields)


def symlink(name, target):
    return member(name, kind=b"2", link=target)


def hard(name, target):
    return member(name, kind=b"1", link=target)


END = b"\0" * 1024
TARS = {
    "plain": directory(b"etc/") + member(b"etc/hosts", b"localhost\n") + hard(b"etc/again", b"etc/hosts")
    + symlink(b"link", b"etc/hosts") + member(b"pipe", kind=b"6") + END,
    "root-entry": directory(b"./", mode=0o700) + member(b"./a", b"a") + END,
    "dotdot": member(b"../outside/secret", b"evil") + END,
    "dotdot-inside": directory(b"a/") + member(b"a/../../outside/secret", b"evil") + END,
    "absolute": member(b"/outside/secret", b"evil") + member(b"//etc//passwd", b"evil") + END,
    "link-then-write": symlink(b"d", b"../outside") + member(b"d/secret", b"evil") + END,
    "link-absolute-then-write": symlink(b"d", b"/") + member(b"d/tmp/evil", b"evil") + END,
    "link-chain": symlink(b"a", b"b/../..") + symlink(b"b", b"..") + member(b"a/outside/secret", b"evil") + END,
    "link-to-proc": symlink(b"p", b"/proc/self/root") + member(b"p/evil", b"evil") + END,
    "link-then-directory": symlink(b"d", b"../outside/dir") + directory(b"d/", mode=0o777) + directory(b"d/new") + END,
    "link-replaced": directory(b"d") + member(b"d/f", b"1") + symlink(b"d", b"../outside") + member(b"d/secret", b"2") + END,
    "hard-link-outside": hard(b"h", b"../outside/secret") + member(b"h", b"evil") + END,
    "hard-link-through-link": symlink(b"d", b"../outside") + hard(b"h", b"d/secret") + member(b"h", b"evil") + END,
    "hard-link-to-link": symlink(b"l", b"../outside/secret") + hard(b"h", b"l") + member(b"h", b"evil") + END,
    "hard-link-to-directory": directory(b"d") + hard(b"h", b"d") + END,
    "hard-link-to-lower": hard(b"mine", b"a/file") + hard(b"x/y/mine", b"etc/passwd") + hard(b"l", b"a/link") + END,
    "hard-link-late": hard(b"h", b"f") + member(b"f", b"later") + END,
    "hard-link-to-itself": member(b"f", b"1") + hard(b"f", b"f") + hard(b"g", b"g") + END,
    "hard-link-to-lower-link": hard(b"x", b"out/secret") + member(b"x/y", b"1") + END,
    "whiteout": member(b"a/.wh.file") + member(b"etc/.wh..wh..opq") + member(b"etc/new", b"1") + END,
    "whiteout-root": member(b".wh..wh..opq") + member(b".wh.") + END,
    "whiteout-dot": member(b".wh..") + END,
    "whiteout-dotdot": member(b"a/.wh...") + END,
    "whiteout-below-itself": member(b".wh.a/b", b"1") + END,
    "whiteout-then-made": member(b".wh.a") + directory(b"a") + member(b"a/f", b"1") + member(b".wh.a") + END,
    "whiteout-through-link": symlink(b"d", b"../outside") + member(b"d/.wh.secret") + member(b"d/.wh..wh..opq") + END,
    "whiteout-link-name": symlink(b".wh.x", b"../outside/secret") + hard(b".wh.y", b".wh.x") + END,
    "whiteout-aufs": member(b".wh..wh.plnk") + END,
    "pax-path": pax((b"path", b"../outside/secret")) + member(b"innocent", b"evil") + END,
    "pax-link": pax((b"linkpath", b"../outside")) + symlink(b"d", b"fine") + member(b"d/secret", b"evil") + END,
    "pax-size-smuggle": pax((b"size", b"1024")) + member(b"outer", b"") + member(b"inner-1", b"") + member(b"inner-2", b"x") + END,
    "pax-size-zero": pax((b"size", b"0")) + header(b"outer", size=512) + member(b"inner", b"seen by one reader") + END,
    "pax-size-huge": pax((b"size", b"18446744073709551615")) + member(b"f", b"x") + END,
    "pax-numbers": pax((b"uid", b"4294967296"), (b"gid", b"-1"), (b"mtime", b"-1.999999999999")) + member(b"f") + END,
    "pax-nul": pax((b"path", b"a\0b"), (b"linkpath", b"c\0d")) + symlink(b"x", b"y") + END,
    "pax-xattr": pax((b"SCHILY.xattr.trusted.overlay.opaque", b"y"), (b"SCHILY.xattr.user.overlay.opaque", b"y"),
                     (b"SCHILY.xattr.user.fine", b"1\n2\0"), (b"SCHILY.xattr.security.capability", b"\1\0\0\2" + b"\0" * 16)) + directory(b"d") + END,
    "pax-global": pax((b"path", b"../outside/secret"), kind=b"g") + member(b"f", b"1") + END,
    "pax-twice": pax((b"path", b"a")) + pax((b"path", b"b")) + member(b"c") + END,
    "pax-alone": pax((b"path", b"a")) + END,
    "pax-record-cut": member(b"PaxHeaders/x", b"99 path=a\n", kind=b"x") + member(b"f") + END,
    "gnu-long": member(b"././@LongLink", b"d/" + b"n" * 150 + b"\0", kind=b"L") + member(b"short", b"1") + END,
    "gnu-long-and-pax": pax((b"path", b"one")) + member(b"././@LongLink", b"two\0", kind=b"L") + member(b"three", b"1") + END,
    "gnu-long-link": member(b"././@LongLink", b"../outside/secret\0", kind=b"K") + hard(b"h", b"f") + END,
    "prefix": member(b"f", b"1", prefix=b"../outside") + END,
    "gnu-magic-prefix": member(b"f", b"1", magic=b"ustar  \0", prefix=b"\0" * 12) + END,
    "old-directory": member(b"d/", kind=b"\0", magic=b"\0" * 8) + END,
    "devices": member(b"null", kind=b"3", major=1, minor=3) + member(b"disk", kind=b"4", major=8) + member(b"wh", kind=b"3") + END,
    "device-over-directory": directory(b"d") + member(b"d/f", b"1") + member(b"d", kind=b"3", major=1, minor=3) + END,
    "unknown-type": member(b"f", kind=b"Z") + END,
    "huge": header(b"f", size=b"77777777777\0") + END,
    "huge-base256": header(b"f", size=b"\x80" + b"\0" * 3 + b"\xff" * 8) + END,
    "negative": header(b"f", size=b"\xff" * 12) + END,
    "cut": member(b"f", b"x" * 600)[:700],
    "no-end": member(b"f", b"1"),
    "after-end": member(b"f", b"1") + END + member(b"g", b"2") + END,
    "odd-tail": member(b"f", b"1") + END + b"tail",
    "setuid": member(b"su", b"#!", mode=0o6755) + directory(b"sticky", mode=0o1777) + member(b"none", mode=0, uid=1000) + END,
    "unreadable-directory": directory(b"d", mode=0) + member(b"d/f", b"1") + directory(b"d", mode=0) + END,
    "deep": member(b"/".join([b"d"] * 40) + b"/f", b"1") + END,
    "file-as-parent": member(b"f", b"1") + member(b"f/g", b"2") + END,
    "empty-name": member(b"", b"1") + END,
    "replaced-parent": directory(b"a/b") + member(b"a/b/f", b"1") + member(b"a", b"2") + directory(b"a") + member(b"a/b/f") + END,
}


def sparse(records, data, name=b"GNUSparseFile.0/f"):
    return pax(*records) + member(name, data) + END


TARS |= {
    "sparse-0.0": sparse([(b"GNU.sparse.size", b"9"), (b"GNU.sparse.numblocks", b"1"), (b"GNU.sparse.offset", b"4"),
                          (b"GNU.sparse.numbytes", b"3")], b"abc"),
    "sparse-0.1": sparse([(b"GNU.sparse.size", b"4096"), (b"GNU.sparse.name", b"../outside/secret"), (b"GNU.sparse.map", b"0,3")], b"abc"),
    "sparse-1.0": sparse([(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"hole"),
                          (b"GNU.sparse.realsize", b"1000000")], b"1\n999997\n3\n".ljust(512, b"\0") + b"abc"),
    "sparse-overlap": sparse([(b"GNU.sparse.size", b"9"), (b"GNU.sparse.map", b"0,3,1,3")], b"abcdef"),
    "sparse-huge": sparse([(b"GNU.sparse.size", b"9223372036854775807"), (b"GNU.sparse.map", b"9223372036854775800,3")], b"abc"),
    "sparse-old": header(b"f", size=3, kind=b"S", magic=b"ustar  \0")[:386] + b"00000000004\0" + b"00000000003\0" + b"\0" * 72
    + b"\0" + b"00000000007\0" + b"\0" * 17 + b"abc".ljust(512, b"\0") + END,
}
for name, archive in TARS.items():
    put("tar_apply", name, archive)
    put("tar_members", name, archive)
each("tar_places", [b"a/b/c", b"./a//b/./", b"/etc/passwd", b"../x", b"a/../../x", b"a/..", b".", b"/", b"a/.wh.b", b".wh..wh..opq",
                    b"d/.wh..wh..opq", b".wh.", b".wh..", b".wh...", b".wh.a/b", b".wh..wh.plnk", b"a\0b", b"d/" * 600, b"n" * 5000,
                    b"a/.wh..wh..opq/..", b"a/.wh.b/../c", b"\xff/\xfe"])

# -- names and values ------------------------------------------------------------------------------------------------

each("image_reference", ["nginx", "busybox:1.36", "ghcr.io/owner/app@" + SHA, "127.0.0.1:5000/a/b:tag@" + SHA, "[::1]:5000/x", "localhost/x",
                         "index.docker.io/library/a", "docker.io/a/b", "a__b/c-d.e--f", "UPPER/x", "a:b:c", "x@sha256:1", "https://a/b",
                         HEX, "a//b", "registry:65536/x", "[fe80::1%25eth0]/x", "a" * 300, "x:" + "t" * 129, EVIL, "docker.io/library/library/a",
                         "1.2.3.4/x", "999.2.3.4/x", "a.b./x", "[::ffff:1.2.3.4]:1/x", "docker.io", "docker.io/docker.io"])
each("digest", [SHA, "sha512:" + HEX * 2, SHA.upper(), "sha256:" + "../" * 21 + "x", "md5:d41d8cd98f00b204e9800998ecf8427e", "", ":", SHA + "0",
                "sha256:" + HEX[:-1] + "g", EVIL])
each("object_names", ["web", "/web", "db-1", "job_2026.01", "a=b", "KEY=value", "KEY", "=x", "..", ".", "-x", "x" * 300, ID, ID[:12], "SIGTERM", "term",
                      "15", "64", "65", "0", "SIGRTMIN+3", "RTMIN+3", "RTMAX-1", "sigrtmax", "a/b", "a\0b", EVIL, " ", "label= with spaces", "KEY=a=b"])
each("hosts", ["embedded", "docker", "podman", "unix:///run/x.sock", "tcp://127.0.0.1:2375", "http://h", "unix://rel", "ssh://-oProxyCommand=x", "://",
               "", EVIL, "tcp://" + EVIL, "npipe:////./pipe/x"])
each("env_file", ["A=1\nB=2\n", "# comment\n\nKEY\nPATH=/a:/b\n", "=x\n", "A B=c\n", "A=\"quoted\"\r\nB='x'\r\n", "\ufeffA=1\n", "A=a\0b\n", "  LEAD=1\n",
                  "K=" + "v" * 3000, EVIL + "=1\n", "export A=1\n", "A=1\\\nB=2"])
each("amounts", ["0", "512k", "1.5g", "64MiB", "1 GB", "9223372036854775807", "9223372036854775808", "8388607.999t", "0.5", "2", "0.000000001",
                 "1h30m", "500ms", "1.5s", "10", "1w2d", "0.1ns", "3\u00b5s", "3\u03bcs", ".5s", "1.", "..", "-1", "1e9", "99999999999999999999", "18446744073709551615s",
                 "1b", "ib", "kb", EVIL, "\u0661\u0662", "1.9999999999999999999g"])
each("times", ["2026-01-31T08:00:00Z", "2026-01-31T08:00:00.123456789+02:00", "1767225600", "1767225600.5", "10m", "2026-01-31", "2026-01-31 08:00",
               "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "-009999-01-01T00:00:00Z", "9999-12-30T22:00:00.999999999Z", "2026-02-30T00:00:00Z",
               "99999999999999999999", "2026-06-30T23:59:60Z", "2026-13-01", "", "T", EVIL, "2026-01-31T08:00:00[Europe/Berlin]", "9999-12-31", "1h1h1h"])
each("ports", ["80", "8080:80", "53:53/udp", "127.0.0.1:8080:80", "127.0.0.1::80", "[::1]:8080:80", "::1:8080:80", "8000-8002:90-92/udp", "1-65535", "0:80",
               "8080->80/tcp", "127.0.0.1:0->80/tcp", "[::]:1->2/sctp", "80/", "/tcp", "tcp", "65536", "90-80", ":80:80", "+80", "[::1:80:80", "0", "1-0:1-0",
               "0.0.0.0:0-1:1-2", "[::ffff:1.2.3.4]:1:2", EVIL])
each("mounts", ["/data", "name:/data", "/host:/data:ro", "C:\\x:/data", "type=bind,source=/a,target=/b,readonly", "type=volume,source=n,target=/d",
                "type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1777", "/run:size=64m,mode=1777", "\"type=bind\",\"source=/a,b\",\"target=/q\"\"x\"",
                "type=bind,source=/a,target=/", "/a:/", "/a:/x/..", "/a:/../x", "a:b:c:d", "type=tmpfs,target=/t,tmpfs-mode=7777777777", "target=rel", "x:/a:rw,z",
                "../x:/y", "./x:/y", "~/x:/y", "/a\0:/b", "/h:/d:", EVIL + ":/x", "/a\n:/b", "type=bind,source=/a\n,target=/b\"", "type=bind,src=,dst=/x",
                "type=tmpfs,target=/x,tmpfs-size=0", "/:/x", "type=volume,target=/x,ro=false", "\"", "\"\"", "\",\""])
each("platform", ["linux/amd64", "linux/arm/v7", "Linux/x86_64", "linux/arm64/8", "windows", "arm64", "macos/arm64", "linux/386", "linux/armhf", "linux/arm64/v8.1",
                  "linux/arm/v", "linux/arm/99999999999", "unknown/unknown", "a/b/c/d", "/", "", EVIL, "linux/amd64/v1", "linux/x86_64/1", "linux/aarch64/v8",
                  "linux/armel/v5", "linux/arm/7", "linux/aarch64/8", "linux/amd64/1", "linux/i386/x", "linux/x86-64/2"])

# -- images ----------------------------------------------------------------------------------------------------------

OCI, DOCKER = "application/vnd.oci.image.", "application/vnd.docker.distribution.manifest."
descriptor = lambda kind="layer.v1.tar+gzip", size=1, **more: {"mediaType": OCI + kind, "digest": SHA, "size": size, **more}
image = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": descriptor("config.v1+json"), "layers": [descriptor(), descriptor(size=2**63)],
         "annotations": {"a": "b"}}
index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [
    descriptor("manifest.v1+json", platform={"architecture": "amd64", "os": "linux"}),
    descriptor("manifest.v1+json", platform={"architecture": "arm", "os": "linux", "variant": "v7"}),
    descriptor("manifest.v1+json", platform={"architecture": "unknown", "os": "unknown"}, annotations={"x": 1}),
    descriptor("manifest.v1+json", platform={"architecture": EVIL, "os": "linux", "os.version": "10.0"})]}
manifests = [image, index, {**image, "manifests": []}, {**index, "layers": []}, {**image, "mediaType": DOCKER + "v2+json"}, {"schemaVersion": 1},
             {**index, "manifests": []}, {**image, "layers": None}, {**image, "config": {**descriptor(), "mediaType": "text/x"}}, {**image, "mediaType": "x/y"},
             {**image, "layers": [descriptor(size=2**64 - 1)] * 3}, {**image, "layers": [{"digest": SHA, "size": -1}]}, [], {},
             {**image, "mediaType": None}, {**index, "mediaType": EVIL}]
each("manifest", ["\n" + json.dumps(value) for value in manifests]
     + [DOCKER + "list.v2+json\n" + json.dumps({**index, "mediaType": None}), OCI + "manifest.v1+json; charset=utf-8\n" + json.dumps(image),
        OCI + "index.v1+json\n" + json.dumps(image), "\n" + "[" * 500, "\n{\"schemaVersion\":2,\"schemaVersion\":2}", "\n\xff"])
config = {"architecture": "amd64", "os": "linux", "created": "2024-05-01T10:00:00.5Z", "author": "x", "config": {
    "User": "a:b", "Env": ["A=b"], "Entrypoint": ["/e"], "Cmd": None, "WorkingDir": "/w", "Labels": {"l": EVIL}, "StopSignal": "SIGTERM",
    "Volumes": {"/v": {}}, "ExposedPorts": {"80/tcp": {}}, "Healthcheck": {"Test": ["CMD", "x"]}, "Shell": ["/bin/sh"]},
    "rootfs": {"type": "layers", "diff_ids": [SHA, SHA]}, "history": [{"created": "x", "created_by": "RUN", "comment": "", "empty_layer": True}]}
each("image_config", [json.dumps(value) for value in [
    config, {"rootfs": {"diff_ids": None}, "config": None, "created": "yesterday", "history": None}, {}, {"rootfs": {}}, {**config, "created": "0001-01-01T00:00:00Z"},
    {**config, "rootfs": {"diff_ids": ["md5:1"]}}, {**config, "config": {"Env": {}}}, {**config, "history": [None]}, {**config, "created": 5}]])
each("layer_path", [b"a/b", b"100%", b"%2e%2E", b"%", b"%zz", b"%\xc3\xa9", b"\xff\xfe", b"\"a%25b\"", b"\"%\"", b"\"%+1\"", b"\"%\xc3\xa9x\"", b"\"\\u0000%00\""])

# -- the store -------------------------------------------------------------------------------------------------------

when = "2026-11-21T09:43:34.158986323Z"
spec = {"image": "127.0.0.1:5000/bb:1", "name": "web", "entrypoint": None, "command": ["sh", "-c", "echo hi"], "env": ["A=1"], "workdir": "/w", "user": "1:2", "hostname": "h",
        "labels": {"k": "v"}, "mounts": ["type=volume,source=vol,target=/v", "type=tmpfs,target=/t,tmpfs-size=1m"], "read_only": False, "tty": True, "interactive": False,
        "auto_remove": True, "memory": "64m", "cpus": "0.5", "pids_limit": 10, "network": "none", "stop_signal": "SIGTERM", "stop_timeout": "10s", "pull": "missing", "platform": None}
record = {"format": 1, "id": ID, "name": "web", "revision": "2", "run": "1", "created": when, "operation": "28687-1-1795264736",
          "image": {"id": SHA, "platform": "linux/amd64", "layers": [f"images/layers/{HEX}/fs"]},
          "resolved": {"entrypoint": ["/e"], "command": ["sh", "-c", "echo hi"], "env": ["PATH=/bin", "A=1"], "workdir": "/", "user": "a", "hostname": "h", "labels": {"k": EVIL},
                       "stop_signal": "SIGKILL", "stop_grace": "1m30s", "exposed_ports": ["80/tcp"]},
          "mounts": [{"mount": "type=volume,source=vol,target=/v", "volume": "vol", "anonymous": True}, {"mount": "type=tmpfs,target=/t,tmpfs-size=1m"}],
          "spec": spec, "intent": {"pid": 28687, "since": when, "deadline": when, "change": "start"}, "start_failure": {"at": when, "code": 127, "reason": EVIL}}
past = {"verb": "run", "subject": "web", "container": ID, "cli": "wharf run a", "pid": 1, "started": when, "finished": when, "failure": None}
plan = {"format": 1, "id": ID, "generation": "1", "container_dir": "/d", "run_dir": "/r", "rootfs": {"lowers": ["/l"], "upper": "/u", "work": "/w"},
        "process": {"args": ["sh"], "env": ["A=1"], "workdir": "/", "user": None, "tty": True, "terminal": {"columns": 80, "rows": 24}, "interactive": False}, "hostname": "h",
        "mounts": [{"mount": "type=volume,source=vol,target=/v", "source": "/x"}], "read_only": False, "limits": {"memory": "64m", "cpus": "0.5", "pids": 5}, "network": "none",
        "stop_signal": "SIGTERM", "stop_grace": "10s", "auto_remove": False, "log": {"segment_bytes": 2**64 - 1, "segments": 3}}
each("container_record", [json.dumps(record), json.dumps({**record, "format": 2}), "{}", "", "null", json.dumps(record)[:200], json.dumps({**record, "id": "../../x"}),
                          json.dumps({**record, "name": EVIL}), json.dumps({**record, "revision": str(2**64 - 1)}), json.dumps({**record, "intent": {
                              "pid": 1, "since": when, "deadline": when, "change": {"rename": {"from": "old"}}}}),
                          json.dumps({**record, "intent": {"pid": 1, "since": when, "deadline": when, "change": {"remove": {"volumes": True}}}})])
state = {"format": 1, "generation": "3", "boot_id": "b", "monitor": {"pid": 10, "start_time": 5}, "init": {"pid": 11, "start_time": 2**64 - 1}, "started": when,
         "paused": False, "stopping_until": None}
ended = {"format": 1, "generation": "3", "started": when, "finished": when, "code": 137, "oom_killed": True, "reason": EVIL}
layer = {"diff_id": SHA, "chain_id": SHA, "key": SHA, "blob": descriptor(), "bytes": 2**63, "members": 1}
kept = {"format": 1, "id": SHA, "manifest": descriptor("manifest.v1+json"), "config": descriptor("config.v1+json"), "digests": ["docker.io/library/a@" + SHA],
        "platform": "linux/amd64", "created": None, "pulled": when, "layers": [layer, layer], "root": {"mode": 493, "uid": 0, "gid": 0}}
report = {"members": 1, "bytes": 2, "root": {"mode": 1, "uid": 2, "gid": 3}, "opaque_root": True, "implied": ["a%25", "%FF"], "links": [{"at": "a", "target": "b"}]}
holder = {"pid": 1, "verb": "stop", "since": when, "deadline": when}
each("monitor_files", [json.dumps(value) for value in [state, ended, kept, report, holder, past, plan, {**ended, "code": -2**31}, {**state, "started": "9999-12-31T23:59:59Z"},
                                                     {}, None, {**ended, "finished": "-009999-01-01T00:00:00Z"}, {**kept, "layers": [{**layer, "bytes": 2**64 - 1}] * 2}]])
each("changes", [f"{ID} 1\n{ID} 2\nimages 0\n", f"{ID} 1\n{ID[:10]}", "\n\n\n", "images 0\nimages 0\n" + f"{ID} 18446744073709551616\n", "nonsense\n", f"{ID}\n {ID} 1\n", b"\xff \xff\n"])
event = {"v": 1, "at": when, "subject": "container", "action": "start", "id": ID, "name": "web", "attributes": {"image": EVIL}}
each("event_log", [(json.dumps(event) + "\n") * 3, json.dumps(event) + "\n" + json.dumps(event)[:50], "\n{}\n", "null\n[]\n"])
frame = lambda kind, payload, at=1: struct.pack("<IB3xq", len(payload), kind, at) + payload + struct.pack("<I", len(payload))
segment = lambda before, *frames: b"WLOG" + struct.pack("<IQ", 1, before) + b"".join(frames)
line, close = frame(1, b"one\ntw") + frame(2, b"oops\n") + frame(1, b"o\nthree"), frame(3, struct.pack("<Q", 3), 5)
each("log_segment", [segment(0, line), segment(0, line, close), segment(0, line) + segment(4, frame(1, b"four\n"), close), segment(0, line) + segment(9, line),
                     segment(2**64 - 1, frame(1, b"a\nb\n")), segment(0, frame(4, struct.pack("<Q", 2**64 - 1)), line), segment(0, frame(3, struct.pack("<Q", 2**64 - 1))),
                     segment(0, line)[:-3], segment(0, line) + b"garbage garbage garbage", b"WLOG", b"", b"not a log", segment(0, frame(1, b"", -2**63)),
                     segment(0, frame(1, b"x")[:-4] + struct.pack("<I", 2**20)), segment(0, struct.pack("<IB3xq", 2**32 - 1, 1, 1)),
                     segment(0, frame(1, b"a\n", 2**63 - 1), frame(1, b"\n\n\n")), segment(7, frame(9, b"x")), segment(0, frame(4, b"\1"))])
each("log_lines", [b"\x05one\ntwo\nthree", b"\x01a\n\nb\n", b"\x03\n\n\n", b"\xff" + b"x" * 3000 + b"\n" + b"y" * 200, b"\x02" + EVIL.encode() + b"\r\n", b"\x00\x00\n\xff",
                   b"\xff" + b"z" * 66000])

# -- config, commands ------------------------------------------------------------------------------------------------

each("settings", ["default_host = \"docker\"\ninsecure_registries = [\"r:5000\"]\nregistry_certificates = [\"/a.pem\"]\n[hosts]\nlab = \"tcp://127.0.0.1:2375\"\n"
                  "[logs]\nmax_size = \"10m\"\nmax_files = 3\n[ui]\ntheme = \"dark\"\nkeymap = \"default\"\nmouse = true\n[ui.keys]\nremove = [\"ctrl-d\", \"delete\"]\nlogs = \"l\"\n",
                  "default_host = \"nowhere\"\n", "hosts = 1\n", "[logs]\nmax_size = \"x\"\n", "\"\\u001b[2J\" = 1\n", "default_host = \"\\u001b]52;c;eA==\\u0007\"\n", "a = [[[[[[\n", "[a]\n[a]\n",
                  "[hosts]\n\"\\u202e\" = \"\\u009b31m\"\n", "[logs]\nmax_files = 99999999999999999999\n", "x = 1979-05-27T07:32:00Z\n", "\x1b[2J = 1\n", "[ui]\nkeys = \"x\"\n", "[logs]\nmax_files = 0\nmax_size = \"0\"\n"])
each("command_line", ["ps -a --filter status=exited --format json", "run --rm -it --name web -e A=1 -v /a:/b:ro -p 80:80 nginx:1.27 sh -c 'echo hi'", "rm -f a b c", "logs -f --tail 10 --since 1h web",
                      "images --filter dangling=true", "stop -t 5 x", "exec -u 0 web ls", "'unclosed", "a\\", "ps --filter", "ps --filter label=a=b --filter exited=-1 --filter nonsense", "system repair --dry-run",
                      "events --filter event=die --until 1m", "", "# comment", "nonsense --x", "run", "inspect '" + EVIL + "'", "--host " + EVIL + " ps", "rm --" + EVIL, "wait --timeout 1s a", "pull --platform linux/arm64 a",
                      "run -m 1g --cpus 0.5 --pids-limit 10 --tmpfs /t:size=1m --mount type=bind,source=/a,target=/b a", "\"a\\\"b\" 'c'\\''d' e\\ f", "index create a b c", "ps -as", "help run", "kill -s SIGKILL x", "logs -n -1 x"])
each("script_lines", ["# a comment\nrun -d --name a alpine sleep 9\nbarrier\nstop a\nrm a\n", "wharf ps\nwharf rm -f x\n", "'unclosed\nrm\n--host x ps\n", "barrier x\n", "run -i x\nevents\nui\nhelp\n", "rm " + EVIL + "\n",
                      "nonsense\n" * 30, "tag a b\nrmi a\npush b\npull b\n", "\r\n\r\nps\r\n", "rename a b\nrename b c\n", "script x\n"])

# -- registries ------------------------------------------------------------------------------------------------------

each("challenges", ["Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:a/b:pull,push\"", "Basic realm=\"x\"", "basic",
                    "Negotiate, BEARER Realm = \"https://a/t\" , service=s, Basic realm=\"x, y\"", "Bearer realm=\"a\\\"b\\\\\"", ",,,", "=", "\"", "Bearer realm=", "Bearer realm=\"", "Digest a=b",
                    "Bearer realm=a realm=b, Bearer", "\u00e9=\u00fc", "Bearer realm=\"" + EVIL + "\"", "Basic, Basic, Basic", "Bearer =x, realm=\"y\""])
each("location", ["http://r:5000/v2/a/blobs/uploads/7?state=x\n" + there for there in
                  ["/v2/b", "?state=y", "8?state=z", "//cdn/x", "https://cdn/x?sig=1#f", "gopher://x/", "../../x", "\\\\evil\\x", "/\\evil", "@evil/x", ":80/x", "https:/x", "", " /x ", "a b", "%2f%2fevil", "x?u=http://evil/"]]
     + ["https://[::1]:443\n/x", "https://user:pw@h/\n/", "HTTPS://A.example:443/\n#x", "http://h?q\nx", "https://h/a\n//user@evil/", "http://h:99999/\n/", "http://h:/\n/", "http://[::1/\n/", "https://h./\n."])
each("registry_error", [b"\x02" + body.encode() for body in
                        [json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown", "detail": {"Tag": "x"}}]}), json.dumps({"errors": [{"code": "X", "message": EVIL * 40}]}),
                         json.dumps({"errors": [{}]}), json.dumps({"errors": []}), "{\"errors\":\"x\"}", "<html>no</html>", "", json.dumps({"errors": [{"message": "\n\n \t"}]})]] + [b"\x01{}", b"\x06\xff\xfe"])
auth = "dTpodW50ZXIy"  # u:hunter2
each("credential_file", [f"{registry}\n{repository}\n{json.dumps(file)}" for registry, repository, file in [
    ("docker.io", "library/a", {"auths": {"https://index.docker.io/v1/": {"auth": auth}}}), ("r:5000", "a/b", {"auths": {"r:5000/a": {"auth": auth}, "r:5000": {"username": "u", "password": "hunter2"}}}),
    ("r", "a", {"auths": {"r": {"identitytoken": "hunter2"}}}), ("r", "a", {"auths": {"r": {"registrytoken": "hunter2"}}}), ("r", "a", {"credsStore": "../../evil", "auths": {}}), ("r", "a", {"credHelpers": {"r": "x y"}}),
    ("r", "a", {"auths": {"r": {"password": ["hunter2"]}}}), ("r", "a", {"auths": {"r": "hunter2"}}), ("r", "a", "hunter2"), ("r", "a", {"auths": {"http://r/v2/": {"auth": "not base64"}}}),
    ("r", "a", {"auths": {"r": {"auth": "hunter2"}}}), ("", "", {"auths": {"": {"auth": auth}}})]] + ["r\na\n", "r\na\n{\"auths\":{\"r\":{\"auth\":\"hunter2", "r\n" + "a/" * 200 + "\n{\"auths\":{}}"])

# -- daemons ---------------------------------------------------------------------------------------------------------

docker = lambda stream, payload: struct.pack(">BxxxI", stream, len(payload)) + payload
each("docker_multiplexed", [docker(1, b"out\n") + docker(2, b"err\n") + docker(1, b"") + docker(1, b"\xff\0\1\2"), docker(0, b"in") + docker(3, b"daemon error"), docker(1, b"cut")[:-1], b"\1\0\0\0\xff\xff\xff\xff",
                            b"plain text, no frame", docker(9, b"x"), b"\1\0\0\1\0\0\0\1x", docker(1, b"x" * 300) + docker(2, b"")[:7], b"\1\0\0\0\1\0\0\0"])
each("docker_json_stream", ["{\"status\":\"Pulling\",\"id\":\"1\"}\r\n{\"status\":\"gr\u00f6\u00dfe \\u00e9\",\"n\":{\"a\":[1,2]}}{\"id\":\"x\"}\n\n{}", "{\"a\":1}{\"b\":", "{} x", "1 2 3", "{\"a\":\"\\ud800\"}", "\n\n",
                            "{\"a\":1e999}", "{\"a\":\"\x1b\"}", "[]{}", "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" + ID + "\",\"Attributes\":{\"name\":\"w\",\"n\":1}},\"timeNano\":1}"])
listed = {"Id": ID, "Names": ["/web", "/other/alias"], "Image": "a", "ImageID": SHA, "Command": "sh", "Created": 1763718000, "State": "exited", "Status": "Exited (137) 3 minutes ago", "Labels": {"a": "b"},
          "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}, {"PrivatePort": 53, "Type": "udp"}]}
inspected = {"Id": ID, "Name": "/web", "Created": when, "Path": "sh", "Args": ["-c", "x"], "Image": SHA, "State": {"Status": "running", "Running": True, "Paused": False, "Pid": 1, "ExitCode": 0, "StartedAt": when,
             "FinishedAt": "0001-01-01T00:00:00Z", "Health": {"Status": "healthy"}}, "Config": {"Image": "a", "Tty": True, "Labels": None}, "HostConfig": {"AutoRemove": True},
             "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "::", "HostPort": "8080"}], "53/udp": None, "x": []}}}
ghost = {"Id": ID, "Names": [], "State": "removing", "Status": "Removal In Progress", "Labels": None, "Ports": None, "Created": 0, "ImageID": "", "Image": ""}
each("docker_answers", [json.dumps(value) for value in [[listed, ghost], inspected, {**listed, "State": "stopping", "Status": "Exited (-99999999999) x"}, {**listed, "Names": None, "Labels": "x", "Ports": [{"PrivatePort": 99999}]},
                                                      {**inspected, "State": None}, {**listed, "Id": "short"}, {**listed, "Created": -2**63}, [], {"Type": "image", "Action": "pull", "id": "a", "time": 2**63 - 1},
                                                      {**inspected, "NetworkSettings": {"Ports": {"0/tcp": None, "-1/tcp": [], "80/": [{"HostPort": "x"}]}}}, {**listed, "Ports": [{"PrivatePort": 0}]}, {**listed, "Names": [EVIL]}]])
each("docker_log_lines", [when + " one\r\n2026-11-21T09:43:35Z \n2026-11-21T09:43:36Z gr\u00f6\u00dfe", "no time here\n", "\n\n", when + " ", when, "9999-12-31T23:59:59.999999999Z x\n", " x\n"])
each("docker_refusal", [json.dumps({"message": "No such container: x"}), json.dumps({"cause": "x", "message": EVIL, "response": 500}), "plain " + EVIL, "\u4e16" * 3000, "{\"message\":\"\"}", "", "no space left on device", b"\xff" * 5000])

# -- the screen ------------------------------------------------------------------------------------------------------

each("key_name", ["s", "N", "ctrl-d", "alt-x", "space", "f5", "f12", "shift-tab", "enter", "?", "-", "ctrl--", "ctrl-", "f13", "f0", "f+5", "f05", "meta-x", "\u0130", ",", "comma", "ctrl-comma", "\x1b", "ctrl-f5", " ", "ctrl- ", "alt-ctrl-x", EVIL])
each("keymap", ["[list]\nremove = \"ctrl-x\"\n", "[containers]\nstop = [\"s\", \"S\"]\nstart = \"s\"\nkill = []\n", "[global]\nquit = \"q\"\nhelp = \"q\"\n", "[nowhere]\nx = 1\n", "x", "[containers]\nstop = 5\nnothing = \"a\"\n",
                "[containers]\nlogs = \"enter\"\nopen = \"l\"\ninspect = \"enter\"\n"])
each("theme", ["text = \"white on black\"\nstrong = \"bold\"\nselected = \"reversed\"\n", "accent = \"#ff8000 underlined\"\n", "bad = \"on\"\n", "x = 1\n", "text = \"#12\u00e9\"\n", "text = \"#12345\"\n", "text = \"color 300\"\n", "good = \"256\"\n", "text = \"bold on red dim\"\n", "rule = \"#gggggg\"\n"])
each("search", ["error\nAn ERROR here", "\u00e4rger\nKein \u00c4RGER", "aa\naaaaa", "\n", "\u0130\n\u0130i\u0307", "\u01c5\n\u01c5\u01c6\u01c4", "\u00df\n\u1e9e", "K\n\u212a", "\u03c2\n\u03a3\u03c3", "i\nI\u0131\u0130"])
each("document", [json.dumps(inspected), "{}", "[]", "[[[[]]]]", json.dumps({EVIL: EVIL, "": [None, True, 1.5, {"a": {}}]}), "[" * 130 + "]" * 130, "1e999", "{\"a\":1,\"a\":{\"b\":2}}", "123456789012345678901234567890"])
each("log_view", [b"\x05one\ntwo\nthree", b"\x01" + "\u4e16\u754c\n".encode() * 4, b"\x00x\n", b"\x07" + EVIL.encode() + b"\n" + b"\t\tx~\ny\n", b"\x03\x1b[31mred\x1b[0m\n", b"\x02a\u0301\u0301\n", b"\xff" + b"long " * 400, b"\x02\n\n\n", b"\x01a~\nb~\nc\n"])
each("safe_text", ["nginx:1.27", EVIL, "a" + "\u0301" * 500 + "b", "file\u202egpj.exe", "tab\tand\r\nlines\n", "\u26a0\ufe0f careful", "web\ufe0f", b"ok \xff\xfe end \xe2\x82", "\x1b[1;32minfo\x1b[0m ready\x1b[m\n", "\x1b[38:2::1:2:3mx\x1b[2J", "\x1bP1$r\x1b\\",
                   "\u4e16\tx", "\U0001f1e9\U0001f1ea\U0001f468\u200d\U0001f469", "\u1100\u1161\u11a8", "\u0e01\u0e33", "\u0301a", "\x1b\x1b[31m[2J", "\u2028\u2029\u0085", "\U000e0041", "\u0600x", "\u0600\u0301", "\t\u0301", "x\n\u0301", "\\u{202e}"])

# -- linux -----------------------------------------------------------------------------------------------------------

monitor = lambda kind, payload: struct.pack("<IB", len(payload), kind) + payload
each("monitor_frames", [monitor(1, json.dumps({"v": 1, "request": "wait"}).encode()) + monitor(4, b"out") + monitor(200, b"later"), monitor(1, json.dumps({"v": 1, "request": {"kill": {"signal": "SIGKILL"}}}).encode()),
                        monitor(1, json.dumps({"v": 1, "request": {"stop": {"signal": "SIGTERM", "grace": "10s"}}}).encode()), monitor(1, b"{\"v\":2,\"request\":\"wait\"}"), monitor(2, b"{\"v\":1,\"failure\":null}"),
                        b"\xff\xff\xff\xff\3", monitor(3, b"x" * 100)[:-1], monitor(9, json.dumps({"exit": {"code": 1}, "oom_killed": False}).encode()), b"\0\0\0\0\0" * 20])
each("kernel_files", ["30 23 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory\n35 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n", "25 1 0:22 / /sys/fs/cgroup rw - cgroup2 c rw\n", " - \n - cgroup\n- cgroup2 x\n",
                      "ann:100000:65536\nbob:200000:10\n1000:300000:5\n\nbroken\nann:x:1\nann:4294967295:4294967295\nann:1:0\n"])
passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nweb:x:33:34:web:/srv:/bin/false\n7:x:8:9::/n:\n\nroot:x:0:root\nwheel:x:10:root,web\nweb:x:34:\nextra:x:35:web\n8:x:99:\n"
each("users", [wanted + "\n" + passwd for wanted in ["", "web", "web:wheel", "33", "1234:4321", "nobody", ":wheel", "web:", "4294967295", "4294967296", "-1", "+5", "7", "a:b:c", "root:8", ":", " 0", "0:\u0661"]])
