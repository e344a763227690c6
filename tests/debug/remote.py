# The monitor on a socket and on a terminal, the terminal shared with a serial port, and malformed GDB packets. Called by tests/debug/run with
# the program, the firmware's directory and a directory for files; prints "ok NAME", "skip NAME" or anything else for a failure.
import os, pty, random, select, signal, socket, subprocess, sys, time

uv, fw, tmp = sys.argv[1:]
base = [uv, "-m", "256", "-display", "none", "-bios", "none", "-kernel", fw + "/tvmm.elf", "-append", "debug-exit", "-initrd",
        fw + "/hello.elf mode=long expect=NPF", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x4",
        "--symbols", "host=" + fw + "/tvmm.elf64", "--limit-seconds", "60"]


def until(fd, word, text="", seconds=20):
    end = time.time() + seconds
    while word not in text and time.time() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                got = os.read(fd, 65536)
            except OSError:
                break
            if not got:
                break
            text += got.decode("latin1")
    return text


def check(name, good, seen):
    print("ok " + name if good else "%s: saw %r" % (name, seen[-300:]))


def on_socket():
    path = tmp + "/mon"
    p = subprocess.Popen(base + ["-S", "-monitor", "unix:%s,server,nowait" % path], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    s = socket.socket(socket.AF_UNIX)
    for _ in range(100):
        try:
            s.connect(path)
            break
        except OSError:
            time.sleep(0.1)
    text = until(s.fileno(), "(uv) ")
    s.sendall(b"break tvmm_main\nrun\nprint 6*7\n")
    text = until(s.fileno(), "2a = 42")
    check("monitor on a socket", "breakpoint 1, tvmm_main" in text and "2a = 42" in text, text)
    s.sendall(b"quit 3\n")
    check("monitor on a socket: quit", p.wait(20) == 3, str(p.returncode))


def on_pty():
    p = subprocess.Popen(base + ["-S", "-monitor", "pty"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    name = ""
    while "the monitor is" not in name:
        name = p.stderr.readline().decode()
    fd = os.open(name.split()[-1], os.O_RDWR | os.O_NOCTTY)
    os.write(fd, b"print 6*7\n")
    text = until(fd, "2a = 42")
    os.write(fd, b"run\n")
    time.sleep(0.3)
    os.write(fd, b"quit 4\n")
    check("monitor on a pty", "2a = 42" in text and p.wait(60) == 4, text + str(p.returncode))
    os.close(fd)


def answer_of(s, wanted, seconds=20):
    text = b""
    end = time.time() + seconds
    s.settimeout(seconds)
    while wanted not in text and time.time() < end:
        text += s.recv(4096)
    return text


def interrupt():
    path = tmp + "/int"
    p = subprocess.Popen([uv, "-m", "64", "-display", "none", "-bios", "none", "-kernel", fw + "/../tests/cli/spin", "-gdb", "unix:" + path],
                         stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    s = socket.socket(socket.AF_UNIX)
    connect(s, path)
    s.sendall(packet(b"QStartNoAckMode") + packet(b"qSupported:multiprocess+") + packet(b"?"))
    text = answer_of(s, b"$T")
    s.sendall(packet(b"vCont;c"))
    time.sleep(0.5)
    s.sendall(b"\x03")
    text = answer_of(s, b"$T")
    check("GDB interrupts a running machine", b"$T02thread:p1.1" in text, repr(text))
    s.sendall(packet(b"D;1"))
    answer_of(s, b"OK")
    s.close()
    s = socket.socket(socket.AF_UNIX)  # and again: the machine runs, and stops for the new client
    connect(s, path)
    s.sendall(packet(b"QStartNoAckMode") + packet(b"?"))
    text = answer_of(s, b"$T")
    s.sendall(packet(b"k"))
    check("GDB detaches and comes back", b"$T" in text and p.wait(20) == 0, repr(text) + str(p.returncode))


def on_terminal(name, options, script):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(uv, base + options)
    text = script(fd)
    try:
        os.close(fd)
    except OSError:
        pass
    for _ in range(100):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return text, os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return text, -1


def edited(fd):
    until(fd, "(uv) ")
    os.write(fd, b"stepw\t")  # completion
    text = until(fd, "stepworld")
    os.write(fd, b"\n")
    text = until(fd, "(uv) ", until(fd, "the world changed", text) + "~")
    os.write(fd, b"print 40+2\n")
    text = until(fd, "(uv) ", until(fd, "2a = 42", text) + "~")
    os.write(fd, b"\x1b[A\n")  # history
    more = until(fd, "(uv) ", until(fd, "2a = 42") + "~")
    os.write(fd, b"quit 9\n")
    time.sleep(1)
    return text + "|" + more


def shared(fd):
    text = until(fd, "tvmm: a tiny VMM", "", 20)
    os.write(fd, b"\x01c")
    text = until(fd, "(uv) ", text)
    os.write(fd, b"registers\n")
    text = until(fd, "efer=", text)
    text = until(fd, "(uv) ", text + "~")
    os.write(fd, b"\x01c")  # back: the machine goes on
    text = until(fd, "guest hello: ok", text)
    time.sleep(1)
    return text


def packet(body):
    return b"$" + body + b"#%02x" % (sum(body) & 255)


def connect(s, path):
    for _ in range(200):
        try:
            return s.connect(path)
        except OSError:  # the one before is still being served
            time.sleep(0.1)


def fuzz():
    path = tmp + "/fuzz"
    p = subprocess.Popen(base + ["-S", "-gdb", "unix:" + path], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for _ in range(100):
        if os.path.exists(path):
            break
        time.sleep(0.1)
    r = random.Random(5)
    good = [b"qSupported:multiprocess+", b"?", b"g", b"G00", b"p1f", b"P0=11", b"m100000,40", b"M100000,2:aabb", b"X100000,2:ab", b"Hgp1.1",
            b"Tp1.1", b"Z0,100000,1;X4,2200", b"z0,100000,1", b"Z2,100000,8", b"Z4,0,ffffffffffffffff", b"vCont;s:p1.1", b"vCont;r100000,100010:p1.1",
            b"vCont?", b"qXfer:features:read:target.xml:0,fff", b"qXfer:memory-map:read::0,ff", b"qXfer:exec-file:read:1:0,ff", b"qfThreadInfo",
            b"qRcmd,68656c70", b"qRcmd,7072696e74", b"qAttached:9", b"QStartNoAckMode", b"qC", b"vCont;x", b"s", b"qThreadExtraInfo,p1.1", b"H", b"D;9"]
    for turn in range(40):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10)
        connect(s, path)
        for _ in range(60):
            body = bytearray(r.choice(good))
            for _ in range(r.randrange(4)):
                what = r.randrange(4)
                at = r.randrange(len(body) + 1)
                if what == 0 and len(body) > 1:
                    del body[at - 1]
                elif what == 1:
                    body.insert(at, r.randrange(256))
                elif what == 2:
                    body += body[at:]
                else:
                    body = body[:at]
            raw = packet(bytes(body)) if r.randrange(8) else bytes(body)
            if b"k" in raw[:3] or b"vKill" in raw or b"vCont;c" in raw or raw[1:2] in (b"c", b"C", b"D"):
                continue
            try:
                s.sendall(raw)
            except OSError:
                break
        s.setblocking(False)
        try:
            while s.recv(65536):
                pass
        except OSError:
            pass
        s.close()
    alive = p.poll() is None
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    answer = b""
    try:
        connect(s, path)
        s.sendall(packet(b"QStartNoAckMode"))
        end = time.time() + 20
        while b"OK" not in answer and time.time() < end:
            answer += s.recv(4096)
        s.sendall(packet(b"k"))
    except OSError as e:
        answer += str(e).encode()
    try:
        p.wait(20)
    except subprocess.TimeoutExpired:
        p.kill()
    err = p.stderr.read().decode("latin1")
    check("malformed GDB packets", alive and b"OK" in answer and "ERROR" not in err and "runtime error" not in err, repr(answer) + err)


on_socket()
on_pty()
interrupt()
text, status = on_terminal("edit", ["-S", "-monitor", "stdio"], edited)
version = subprocess.run([uv, "-version"], capture_output=True, text=True).stdout
if "without libedit" in version:
    print("skip monitor on a terminal")
else:
    check("monitor on a terminal: completion and history", text.count("2a = 42") >= 2 and "the world changed" in text and status == 9, text + str(status))
text, status = on_terminal("shared", ["-serial", "mon:stdio"], shared)
check("serial port and monitor share a terminal", "efer=" in text and "guest hello: ok" in text and status == 1, text + str(status))
fuzz()
