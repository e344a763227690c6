"""Headless Chromium through the DevTools protocol on a pipe: no network, no further packages. For tests/walk/run."""
import base64, json, os, shutil, subprocess, tempfile


class Browser:
    def __init__(self, width=1500, height=1300, dark=False):
        self.profile = tempfile.mkdtemp(prefix="walk-chromium-")
        r_cmd, self.w_cmd = os.pipe()
        self.r_answer, w_answer = os.pipe()

        def wire():  # Chromium reads commands from 3 and answers on 4
            a, b = os.dup(r_cmd), os.dup(w_answer)
            os.dup2(a, 3)
            os.dup2(b, 4)
        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage", "--remote-debugging-pipe",
             "--proxy-server=127.0.0.1:9", "--user-data-dir=" + self.profile, "--window-size=%d,%d" % (width, height), "about:blank"],
            preexec_fn=wire, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(r_cmd)
        os.close(w_answer)
        self.buffer, self.n, self.session, self.errors = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        if dark:
            self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])

    def message(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.r_answer, 65536)
            if not piece:
                raise RuntimeError("chromium ended")
            self.buffer += piece
        one, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(one)

    def note(self, m):
        if m.get("method") == "Runtime.exceptionThrown":
            self.errors.append(m["params"]["exceptionDetails"].get("exception", {}).get("description", "exception"))
        if m.get("method") == "Log.entryAdded" and m["params"]["entry"]["level"] == "error":
            self.errors.append(m["params"]["entry"]["text"])
        if m.get("method") == "Network.requestWillBeSent":
            url = m["params"]["request"]["url"]
            if not url.startswith(("file:", "about:", "data:")):
                self.errors.append("asks the network for " + url)

    def call(self, method, **params):
        self.n += 1
        m = {"id": self.n, "method": method, "params": params}
        if self.session:
            m["sessionId"] = self.session
        os.write(self.w_cmd, json.dumps(m).encode() + b"\0")
        while True:
            a = self.message()
            if a.get("id") == self.n:
                if "error" in a:
                    raise RuntimeError(method + ": " + a["error"]["message"])
                return a["result"]
            self.note(a)

    def open(self, path):
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        while self.js("document.readyState") != "complete":
            pass

    def js(self, text):
        r = self.call("Runtime.evaluate", expression=text, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            raise RuntimeError(text + ": " + str(r["exceptionDetails"].get("exception", {}).get("description")))
        return r["result"].get("value")

    def key(self, key, text=None):
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "PageUp": 33, "PageDown": 34, " ": 32, "Tab": 9, "Enter": 13}
        p = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        if text or len(key) == 1:
            p["text"] = text or key
        self.call("Input.dispatchKeyEvent", type="keyDown", **p)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def click(self, selector):
        """With the mouse, at the middle of the element: it must be there to be seen and not covered."""
        x, y = self.js("(() => { const e = document.querySelector(%s); e.scrollIntoView({block: 'center'}); "
                       "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()" % json.dumps(selector))
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def screenshot(self, path, width=None, height=None):
        clip = {"clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}} if width else {}
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("Page.captureScreenshot", format="png", **clip)["data"]))

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.w_cmd)
        os.close(self.r_answer)
        shutil.rmtree(self.profile, ignore_errors=True)
