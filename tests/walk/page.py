"""The page of walks in a real browser: every button, every key, the quiz, both colour schemes, print. Prints `ok NAME` or `FAIL NAME: text` lines and
counts. Arguments: the HTML file, its JSON, [a directory for screenshots]. Called by tests/walk/run."""
import json, os, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser

html, data, shots = sys.argv[1], json.load(open(sys.argv[2])), sys.argv[3] if len(sys.argv) > 3 else None
passed = failed = 0
b = Browser()


def check(name, good, text=""):
    global passed, failed
    if good:
        passed += 1
        print("ok page: " + name)
    else:
        failed += 1
        print("FAIL page: %s: %s" % (name, text))


def equal(name, is_, want): check(name, is_ == want, "%r, expected %r" % (is_, want))
def step(): return int(b.js("document.documentElement.dataset.step"))
def walk(): return int(b.js("document.documentElement.dataset.walk"))
def text(id): return b.js("document.getElementById('%s').textContent" % id)
def shown(id): return b.js("document.getElementById('%s').checkVisibility()" % id)
def now(): return b.js("Array.from(document.querySelectorAll('.shown .cell.now')).map((e) => e.dataset.row + ' ' + e.dataset.column).join()")


def steps_of(w):
    n = 0
    for r in w["rows"]:
        n += r["cached"]
        n += sum(c["state"] in ("read", "register") or (c["fails"] and c["state"] == "unreached") for c in r["cells"])
    return n + 1


b.open(html)
walks = data["walks"]
last = steps_of(walks[0])

# ---- the page as it opens ----
equal("a drawing and a table for each walk", b.js("[document.querySelectorAll('.walk svg').length, document.querySelectorAll('.walk table').length]"),
      [len(walks)] * 2)
equal("one walk is shown", b.js("Array.from(document.querySelectorAll('.walk')).filter((e) => e.checkVisibility()).length"), 1)
equal("cells of the drawing", b.js("document.querySelectorAll('#walk-1 .cell').length"), sum(len(r["cells"]) for r in walks[0]["rows"]))
check("the table has headings for readers", b.js("document.querySelectorAll('#walk-1 th[scope=col]').length") >= 6)
equal("rows of the table", b.js("document.querySelectorAll('#walk-1 tbody tr').length"),
      sum(c["state"] in ("read", "cached", "register", "data") or c["fails"] for r in walks[0]["rows"] for c in r["cells"]))
check("every cell has words", b.js("Array.from(document.querySelectorAll('.cell title')).every((e) => e.textContent.length > 10)"))
check("back is off at the beginning", b.js("document.getElementById('back').disabled && !document.getElementById('next').disabled"))

# ---- stepping: buttons, then keys ----
b.click("#next")
equal("button next", (step(), now() != ""), (1, True))
first_cell = walks[0]["rows"][0]["cells"][0]
check("details of the first step", first_cell.get("addr", first_cell["val"]) in text("detail"), text("detail")[:80])
b.click("#next")
b.click("#back")
equal("button back", step(), 1)
b.click("#last")
equal("button last", step(), last)
check("the result is told", walks[0]["result"] in text("detail"))
check("next is off at the end", b.js("document.getElementById('next').disabled"))
b.click("#first")
equal("button first", step(), 0)
b.js("document.activeElement.blur()")
for key, want in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", last), ("ArrowRight", last), ("Home", 0), ("ArrowLeft", 0)):
    b.key(key)
    equal("key %s leads to step %d" % (key, want), step(), want)
seen = []
for _ in range(last - 1):
    b.key("ArrowRight")
    seen.append(now())
check("each step marks a place of its own", "" not in seen and len(set(seen)) == len(seen), str(seen))
equal("the references are counted", text("where").split("reference ")[1], "%d of %d" % (walks[0]["refs"], walks[0]["refs"]))

# ---- entries decoded ----
for r, row in enumerate(walks[0]["rows"]):
    for c, cell in enumerate(row["cells"]):
        if cell["state"] != "read":
            continue
        b.click("#walk-1 .cell[data-row='%d'][data-column='%d']" % (r, c))
        good = cell["pa"] in text("detail") and cell["val"] in text("detail") and "Reference %d" % cell["ref"] in text("detail")
        check("a click on reference %d" % cell["ref"], good and now() == "%d %d" % (r, c), now() + " " + text("detail")[:60])
        equal("its address adds up", b.js("(() => { const m = /table at ([0-9a-f]+) \\+ ([0-9a-f]+) × (\\d) = ([0-9a-f]+)/.exec(document.getElementById("
              "'detail').textContent); return m && (BigInt('0x' + m[1]) + BigInt('0x' + m[2]) * BigInt(m[3])).toString(16) === m[4]; })()"), True)

# ---- play ----
b.key("Home")
b.click("#play")
b.js("new Promise((r) => setTimeout(r, 1300))")
check("button play runs", step() >= 1, str(step()))
b.click("#play")
at = step()
b.js("new Promise((r) => setTimeout(r, 1100))")
equal("button play stops", step(), at)
b.js("document.activeElement.blur()")
b.key(" ")
equal("space plays", b.js("document.getElementById('play').getAttribute('aria-pressed')"), "true")
b.key(" ")

# ---- several walks ----
if len(walks) > 1:
    b.click("#walk-next")
    equal("button walk next", (walk(), step()), (1, 0))
    b.click("#walk-back")
    equal("button walk back", walk(), 0)
    b.js("document.activeElement.blur()")
    b.key("PageDown")
    equal("key Page Down", walk(), 1)
    b.key("PageUp")
    equal("key Page Up", walk(), 0)
    b.js("(() => { const p = document.getElementById('pick'); p.value = '%d'; p.dispatchEvent(new Event('change')); })()" % (len(walks) - 1))
    equal("the list of walks", walk(), len(walks) - 1)
    fault = next((i for i, w in enumerate(walks) if any(c["fails"] for r in w["rows"] for c in r["cells"])), None)
    if fault is not None:
        while walk() > fault:
            b.key("PageUp")
        b.js("document.activeElement.blur()")
        while walk() < fault:
            b.key("PageDown")
        b.key("End")
        check("the fault and where it goes", walks[fault]["faultTo"] in text("detail") and walks[fault]["error"] in text("detail"))
        equal("a red cell and an arrow", b.js("[document.querySelectorAll('.shown .cell rect.p-bad').length, "
              "document.querySelectorAll('.shown path.p-bad').length]"), [1, 2])
        b.key("ArrowLeft")
        check("the entry that refused", "Refused here" in text("detail"), text("detail")[:80])
        if shots:
            b.screenshot(shots + "/fault.png")
        if fault + 1 < len(walks) and walks[fault]["live"] and walks[fault + 1]["va"] == walks[fault]["va"]:
            b.key("PageDown")
            check("what the VMM changed between the walks", "Changed since the walk before" in text("since") and "→" in text("since"), text("since")[:80])
            told = ("data abort", "TLB: everything invalidated") if walks[0]["arch"] == "arm" else ("#VMEXIT NPF", "VMRUN")
            check("what happened between the walks", all(t in text("since") for t in told), text("since")[:80])
            if shots:
                b.screenshot(shots + "/retry.png")
b.js("(() => { const p = document.getElementById('pick'); p.value = '0'; p.dispatchEvent(new Event('change')); })()")

# ---- the translation, the comparison ----
check("what flushes the entry", not walks[0]["allowed"] or ("stays until" in text("after") and walks[0]["until"][0] in text("after")))
if "ways" in walks[0]:
    equal("the bars of this walk", b.js("document.querySelectorAll('#ways .bars i').length"), len(walks[0]["ways"]))
if data.get("stat", {}).get("compared"):
    equal("the bars of the run", b.js("document.querySelectorAll('#stat .bars i').length"), len(data["stat"]["ways"]))
    check("their lengths", b.js("(() => { const i = Array.from(document.querySelectorAll('#stat .bars i')); "
          "return i[1].getBoundingClientRect().width > i[2].getBoundingClientRect().width; })()"))

# ---- light and dark, keys ----
def ground(): return b.js("getComputedStyle(document.body).backgroundColor + getComputedStyle(document.querySelector('.shown rect.p-page')).fill")
light = ground()
b.click("#theme")
dark = ground()
check("button light / dark", light != dark and "21, 24, 29" in dark, light + dark)
if shots:
    b.key("Home")
    b.key("ArrowRight")
    b.screenshot(shots + "/dark.png")
b.js("document.activeElement.blur()")
b.key("t")
equal("key t", ground(), light)
b.click("#help")
check("button keys", shown("keys") and b.js("document.getElementById('help').getAttribute('aria-expanded')") == "true")
b.key("?")
check("key ?", not shown("keys"))
b.js("window.print = () => { window.printed = 1; }")
b.click("#print")
equal("button print", b.js("window.printed"), 1)

# ---- quiz ----
b.js("document.activeElement.blur()")
b.key("q")
check("key q", shown("questions") and not shown("detail"))
check("values are hidden", b.js("Array.from(document.querySelectorAll('.secret')).every((e) => e.textContent === '?')"))
check("the fault does not show", not b.js("Array.from(document.querySelectorAll('path.p-bad')).some((e) => e.checkVisibility())"))
b.click("#quiz")
check("values come back", not shown("questions") and b.js("Array.from(document.querySelectorAll('.secret')).every((e) => e.textContent !== '?')"))
b.click("#quiz")
n = b.js("document.querySelectorAll('#questions input, #questions select').length")
check("questions", n >= 5, str(n))
b.click("#grade")
equal("nothing filled in", text("score"), "0 of %d right" % n)
if shots:
    b.screenshot(shots + "/quiz.png")
b.click("#answers")
b.click("#grade")
equal("all right", text("score"), "%d of %d right" % (n, n))
first = b.js("document.getElementById('answer-0').value")
for given, good in (("0x" + first.upper(), True), (" 000" + first + " ", True), (first + "1", False), ("zz", False)):
    b.js("document.getElementById('answer-0').value = ''; document.getElementById('answer-0').focus()")
    b.call("Input.insertText", text=given)
    b.key("Enter", "\r")
    equal("graded: %r" % given, "right" in text("mark-0"), good)
b.js("document.getElementById('answer-0').focus()")
b.key("q")
check("typing is not a command", shown("questions"))
before = b.js("document.getElementById('questions').textContent")
b.click("#others")
for _ in range(3):
    if b.js("document.getElementById('questions').textContent") != before:
        break
    b.click("#others")
check("other questions", b.js("document.getElementById('questions').textContent") != before)
b.click("#answers")
b.click("#grade")
equal("these too", text("score").split()[0], text("score").split()[2])
for i in range(len(walks)):  # every walk's own answers are right
    b.js("(() => { const p = document.getElementById('pick'); p.value = '%d'; p.dispatchEvent(new Event('change')); })()" % i)
    b.click("#answers")
    b.click("#grade")
    equal("quiz of walk %d" % (i + 1), text("score").split()[0], text("score").split()[2])
b.js("document.activeElement.blur()")
b.key("q")
check("the end of the quiz", not shown("questions"))

# ---- paper; without script ----
b.call("Emulation.setEmulatedMedia", media="print")
check("on paper: all walks, no controls", b.js("Array.from(document.querySelectorAll('.walk')).every((e) => e.checkVisibility()) && "
      "!document.querySelector('header').checkVisibility()"))
pdf = b.call("Page.printToPDF", landscape=True, printBackground=True)["data"]
check("printing works", len(pdf) > 10000)
b.call("Emulation.setEmulatedMedia", media="")
b.call("Emulation.setScriptExecutionDisabled", value=True)
b.js("window.before = 1")
b.call("Page.reload")
for _ in range(300):
    if b.js("window.before || document.readyState") == "complete":
        break
    time.sleep(0.1)
b.call("Emulation.setScriptExecutionDisabled", value=False)
equal("without script all walks show", b.js("Array.from(document.querySelectorAll('.walk')).filter((e) => e.checkVisibility()).length"), len(walks))
equal("no errors, no network", b.errors, [])
b.close()

# ---- prefers-color-scheme ----
b = Browser(dark=True)
b.open(html)
check("the system's dark scheme", "21, 24, 29" in b.js("getComputedStyle(document.body).backgroundColor"))
b.close()
print("%d passed, %d failed, 0 skipped" % (passed, failed))
sys.exit(failed != 0)
