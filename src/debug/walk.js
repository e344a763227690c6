"use strict";
// The page of walks: steps through the references, shows what each does, compares, asks. All data stands in #data; the drawings and
// tables are in the page already and are only marked here. Text goes into the page as text nodes only.
(function () {
	const data = JSON.parse(document.getElementById("data").textContent);
	const root = document.documentElement;
	const $ = (id) => document.getElementById(id);
	const sections = Array.from(document.querySelectorAll(".walk"));
	let current = 0, step = 0, timer = null, round = 0;

	function make(tag, attributes, ...children) {
		const e = document.createElement(tag);
		for (const k in attributes || {})
			e.setAttribute(k, attributes[k]);
		e.append(...children);
		return e;
	}

	function fill(id, ...children) { $(id).replaceChildren(...children); }

	// ---- the steps of a walk: references, translations that the TLB served, the result ----

	function stepsOf(walk) {
		const steps = [];
		walk.rows.forEach((row, r) => {
			if (row.cached)
				steps.push({row: r, column: 0, cached: true});
			row.cells.forEach((cell, c) => {
				if (cell.state === "read" || cell.state === "register" || (cell.fails && cell.state === "unreached"))
					steps.push({row: r, column: c});
			});
		});
		steps.push({result: true});
		return steps;
	}
	const steps = data.walks.map(stepsOf);
	// Does the step concern the element's cell? A cached translation concerns all nested cells of its row.
	const concerns = (s, e) => !s.result && s.row === Number(e.dataset.row) &&
		(s.cached ? Number(e.dataset.column) < walk().rows[s.row].cells.length - 1 : s.column === Number(e.dataset.column));
	const walk = () => data.walks[current];
	const arm = () => walk().arch === "arm";
	const cellAt = (s) => walk().rows[s.row].cells[s.column];

	// ---- this step ----

	function bitsBar(form, dim, address, cell) {
		const bar = make("div", {class: "bits", role: "group", "aria-label": "bits of the address"});
		const value = BigInt("0x" + address);
		const part = (hi, lo) => ((value >> BigInt(lo)) & ((1n << BigInt(hi - lo + 1)) - 1n)).toString(16);
		for (const l of form.levels) {
			const e = make("span", {class: "b-" + (dim ? "n" : "g") + l.level + (cell && cell.level === l.level ? " here" : "")},
				(dim ? "n" : walk().nested ? "g" : "") + "L" + l.level + " " + l.hi + ":" + l.lo + " = " + part(l.hi, l.lo));
			bar.append(e);
		}
		if (form.subpage)
			bar.append(make("span", {class: "b-g5"}, "subpage " + form.subpage.join(":") + " = " + part(...form.subpage)));
		bar.append(make("span", {}, "offset " + (form.offset - 1) + ":0 = " + part(form.offset - 1, 0)));
		return bar;
	}

	function entryTable(cell) {
		const table = make("table", {}, make("caption", {}, (cell.state === "register" && arm() ? "the register " : "the entry ") + cell.entry + " = " + cell.val));
		for (const b of cell.entryBits.slice().reverse()) {
			if (b.kind === "free" && b.v === "0")
				continue;
			table.append(make("tr", {},
				make("td", {class: "mono"}, b.hi === b.lo ? String(b.hi) : b.hi + ":" + b.lo),
				make("th", {scope: "row"}, b.name), make("td", {class: "mono"}, b.v), make("td", {}, b.says)));
		}
		return table;
	}

	function address(cell) {
		const form = walk().form[cell.dim], size = BigInt(form.size);
		const at = BigInt("0x" + cell.pa), base = at - BigInt("0x" + cell.index) * size;
		const space = cell.dim || !walk().nested ? "" : " (system-physical, found by this row's nested walk)";
		return "table at " + base.toString(16) + " + " + cell.index + " × " + size + " = " + cell.pa + space;
	}

	function showCell(s) {
		const cell = cellAt(s), row = walk().rows[s.row], out = [];
		out.push(make("h3", {}, (cell.ref ? "Reference " + cell.ref + ": " : "") + cell.name +
			(cell.dim ? " for " + row.name : "")));
		out.push(make("p", {}, cell.says + "."));
		if (s.cached)
			out.push(make("p", {}, "Guest-physical " + row.gpa + " was translated without a read: the TLB keeps nested " +
				"translations of the ASID too. The grey cells show what the tables hold."));
		if (cell.addr !== undefined)
			out.push(bitsBar(walk().form[cell.dim], cell.dim, cell.addr, cell));
		if (cell.known && cell.entry) {
			if (cell.state !== "register")
				out.push(make("p", {class: "mono"}, address(cell)));
			out.push(entryTable(cell));
			if (cell.perm && arm())
				out.push(make("p", {}, "Rights: " + cell.perm + "."));
			else if (cell.perm)
				out.push(make("p", {}, "Rights from the top of the " + (cell.dim ? "nested" : walk().nested ? "guest's" : "") +
				" tables down to here: " + cell.perm + " (W and U must be set in every entry, NX in none)."));
		}
		if (cell.dim)
			out.push(make("p", {}, row.level ? "Nested accesses count as user accesses, and reads of the guest's tables as writes: " +
				"A and D may have to be set." : "The access itself: " + walk().access + "; it counts as a user access here."));
		if (cell.set)
			out.push(make("p", {}, "The processor writes the entry back: sets " + cell.set + "."));
		if (cell.memory && cell.memory !== "RAM")
			out.push(make("p", {class: "bad"}, "This is not RAM but " + cell.memory + "."));
		if (cell.lacks)
			out.push(make("p", {class: "bad"}, "This entry takes away the right that was refused."));
		if (cell.fails)
			out.push(make("p", {class: "bad"}, "Refused here: " + walk().why + ". " + walk().faultTo + "."));
		fill("detail", ...out);
	}

	function showResult() {
		const w = walk();
		fill("detail", make("h3", {}, "The result"), make("p", {class: w.allowed ? "good" : "bad"}, w.result),
			...[w.faultTo, w.error, w.merge, w.count, w.held].filter((t) => t).map((t) => make("p", {}, t)));
	}

	function showBefore() {
		const w = walk();
		fill("detail", make("h3", {}, w.title), make("p", {}, w.when), make("p", {}, w.count + "."),
			bitsBar(w.form[w.physical ? 1 : 0], w.physical ? 1 : 0, w.va, null),
			make("p", {}, "next, or the right arrow, makes the first reference."));
	}

	// ---- around the walk ----

	function changes() {
		const old = new Map(), list = [];
		const place = (c) => c.state !== "register" ? c.pa : arm() ? c.entry : ""; // x86: PDPEs in registers have memory behind them
		if (current)
			data.walks[current - 1].rows.forEach((r) => r.cells.forEach((c) => c.known && c.entry && place(c) && old.set(place(c), c)));
		walk().rows.forEach((r) => r.cells.forEach((c) => {
			const at = place(c), o = c.known && c.entry ? old.get(at) : null;
			if (o && o.val !== c.val && !list.some((x) => x.at === at))
				list.push({at: at, text: (c.state === "register" ? c.entry : c.name + (arm() ? "" : " for " + r.name) + ", entry at " + at) +
					": " + o.val + " → " + c.val});
		}));
		return list;
	}

	function list(title, items) {
		return items.length ? [make("h3", {}, title), make("ul", {}, ...items.map((t) => make("li", {}, t)))] : [];
	}

	function bars(title, ways, unit) {
		const most = Math.max(1, ...ways.map((w) => w[1]));
		const grid = make("div", {class: "bars", role: "list"});
		for (const [name, n] of ways) {
			const bar = make("i", {});
			bar.style.width = Math.round(n / most * 70) + "%";
			grid.append(make("div", {}, name), make("div", {class: "bar-line", role: "listitem", "aria-label": name + ": " + n},
				bar, String(n)));
		}
		return [make("h3", {}, title), grid, make("p", {}, unit)];
	}

	function showAround() {
		const w = walk(), events = w.before.slice();
		if (w.beforeLost)
			events.unshift(w.beforeLost + " more before");
		fill("since", ...list("Changed since the walk before", changes().map((c) => c.text)), ...list("What happened before it", events));
		fill("after", make("h3", {}, "TLB entry"), make("p", {}, w.tlb), ...list("stays until", w.until), ...list("is not removed by", w.notBy));
		fill("ways", ...(w.ways ? bars("This walk, by other ways", w.ways, "memory references") : []));
	}

	// ---- drawing the state ----

	function mark() {
		const s = step ? steps[current][step - 1] : null, section = sections[current];
		section.classList.toggle("stepping", Boolean(s) && !s.result);
		section.querySelectorAll(".cell, tr[data-row]").forEach((e) => {
			const i = steps[current].findIndex((x) => concerns(x, e));
			e.classList.toggle("now", Boolean(s) && i === step - 1);
			e.classList.toggle("past", Boolean(s) && i >= 0 && i < step - 1);
		});
		if (!s)
			showBefore();
		else if (s.result)
			showResult();
		else
			showCell(s);
		const refs = steps[current].slice(0, step).filter((x) => !x.result && !x.cached && cellAt(x).ref).length;
		$("where").textContent = "walk " + (current + 1) + " of " + data.walks.length + ", reference " + refs + " of " + walk().refs +
			(s && s.result ? ": result" : s && s.cached ? ": cached" : "");
		$("back").disabled = $("first").disabled = step === 0;
		$("next").disabled = $("last").disabled = step === steps[current].length;
		$("walk-back").disabled = current === 0;
		$("walk-next").disabled = current === data.walks.length - 1;
		root.dataset.walk = current;
		root.dataset.step = step;
	}

	function go(n) {
		step = Math.max(0, Math.min(n, steps[current].length));
		mark();
	}

	function goWalk(n) {
		current = Math.max(0, Math.min(n, data.walks.length - 1));
		sections.forEach((s, i) => s.classList.toggle("shown", i === current));
		$("pick").value = String(current);
		showAround();
		go(0);
		if (root.classList.contains("quiz"))
			ask();
	}

	function play(on) {
		clearInterval(timer);
		timer = on ? setInterval(() => {
			go(step + 1);
			if (step === steps[current].length)
				play(false);
		}, 900) : null;
		$("play").setAttribute("aria-pressed", String(on));
	}

	// ---- quiz ----

	const plain = (s) => s.trim().toLowerCase().replace(/^0x/, "").replace(/[_\s]/g, "").replace(/^0+(?=.)/, "");

	function pick(items, n) { // the same for the same walk and round
		const left = items.slice(), out = [];
		let x = (current * 7919 + round * 104729 + 12345) >>> 0;
		while (left.length && out.length < n) {
			x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
			out.push(left.splice(x % left.length, 1)[0]);
		}
		return out;
	}

	function questionsOf(w) {
		const q = [], cells = [];
		if (!w.physical)
			for (const l of w.form[0].levels)
				q.push({text: "index at level " + l.level + " of " + w.va + " (hexadecimal)", is:
					((BigInt("0x" + w.va) >> BigInt(l.lo)) & ((1n << BigInt(l.hi - l.lo + 1)) - 1n)).toString(16)});
		w.rows.forEach((r, i) => r.cells.forEach((c, k) => {
			if (c.state === "read")
				cells.push({row: i, column: k, cell: c, name: r.name});
		}));
		for (const c of pick(cells, 3))
			q.push({text: (arm() ? "physical" : "system-physical") + " address of reference " + c.cell.ref + " (" + c.cell.name + (c.cell.dim ? " for " + c.name : "") + ")",
				is: c.cell.pa, row: c.row, column: c.column});
		for (const r of pick(w.rows.filter((x) => w.nested && x.level && x.gpa && x.cells[x.cells.length - 1].state === "read"), 1))
			q.push({text: "guest-physical address of the guest's " + r.name + " entry", is: r.gpa});
		if (!arm())
			q.push({text: "references without any cached translation", is: String(w.cold)});
		return q.concat(arm() ? questionsArm(w) : questionsX86(w));
	}

	function questionsX86(w) {
		const q = [], sizes = ["4 KB", "2 MB", "4 MB", "1 GB", "no paging"];
		const size = {12: "4 KB", 21: "2 MB", 22: "4 MB", 30: w.gshift || w.nshift ? "1 GB" : "no paging"};
		q.push({text: "what comes of it", is: w.allowed ? "allowed" : w.nestedFault ? "nested page fault" : w.errorCode === "0" && !w.rows.some((r) => r.reached) ?
			"general protection" : "page fault", choice: ["allowed", "page fault", "nested page fault", "general protection"]});
		if (w.allowed) {
			q.push({text: "final system-physical address", is: w.pa});
			q.push({text: "page size in the TLB", is: size[w.shift], choice: sizes});
			q.push({text: "rights in the TLB", is: w.perm, choice: ["R - - -", "R W - -", "R - X -", "R W X -", "R - - U", "R W - U", "R - X U", "R W X U"]});
		}
		return q;
	}

	// What the descriptors and registers say: the values of both stay, what follows from them is asked.
	function questionsArm(w) {
		const q = [], rights = ["--", "R-", "RW"].flatMap((p) => ["--", "R-", "RW"].map((u) => "priv " + p + " User " + u));
		const cell = (name) => w.rows.map((r) => r.cells[0]).find((c) => c.name === name && c.state === "register");
		const domain = cell("domain"), field = domain ? (BigInt("0x" + w.dacr) >> BigInt(2 * w.domain)) & 3n : 0n;
		const status = (Number("0x" + w.errorCode) & 15).toString(16);
		if (w.process)
			q.push({text: "modified virtual address of " + w.unmodified + " in process " + w.process, is: w.va});
		if (domain)
			q.push({text: "domain (decimal)", is: String(w.domain)},
				{text: "the domain's field in DACR", is: ["no access", "client", "reserved", "manager"][Number(field)],
					choice: ["no access", "client", "reserved", "manager"]},
				{text: "page size", is: {10: "1 KB", 12: "4 KB", 16: "64 KB", 20: "1 MB"}[w.shift], choice: ["1 KB", "4 KB", "64 KB", "1 MB"]});
		if (cell("AP"))
			q.push({text: "AP of the page or subpage (0 to 3)", is: String(w.ap)}, {text: "rights", is: w.perm, choice: rights});
		q.push({text: "what comes of it", is: w.allowed ? "allowed" : {5: "translation fault", 7: "translation fault", 9: "domain fault",
			b: "domain fault", d: "permission fault", f: "permission fault"}[status] || "external abort",
			choice: ["allowed", "translation fault", "domain fault", "permission fault", "external abort"]});
		q.push(w.allowed ? {text: "physical address", is: w.pa} : {text: "fault status, bits 3:0 (hexadecimal)", is: status});
		return q;
	}

	function field(q, n) {
		const id = "answer-" + n;
		const input = q.choice ? make("select", {id: id}, make("option", {value: ""}, "?"), ...q.choice.map((c) => make("option", {value: c}, c))) :
			make("input", {id: id, autocomplete: "off", spellcheck: "false"});
		if (q.row !== undefined)
			input.addEventListener("focus", () => sections[current].querySelectorAll(".cell").forEach((e) =>
				e.classList.toggle("now", Number(e.dataset.row) === q.row && Number(e.dataset.column) === q.column)));
		return make("label", {for: id}, (n + 1) + ". " + q.text + " ", make("br"), input, make("span", {class: "mark", id: "mark-" + n}));
	}

	function right(q, given) {
		if (q.choice)
			return given === q.is;
		return given.trim() !== "" && plain(given) === plain(q.is);
	}

	let questions = [];
	function ask() {
		questions = questionsOf(walk());
		const score = make("p", {id: "score", role: "status"});
		const form = $("questions");
		form.replaceChildren(make("h3", {}, "Quiz: the entries are given, the rest follows"), ...questions.map(field),
			make("div", {class: "bar"}, make("button", {id: "grade", type: "submit"}, "grade"),
				make("button", {id: "answers", type: "button"}, "show the answers"), make("button", {id: "others", type: "button"}, "other questions")),
			score);
		form.onsubmit = (e) => {
			e.preventDefault();
			let good = 0;
			questions.forEach((q, n) => {
				const ok = right(q, $("answer-" + n).value);
				good += ok ? 1 : 0;
				$("mark-" + n).textContent = ok ? "✓ right" : "✗ wrong";
				$("mark-" + n).className = "mark " + (ok ? "good" : "bad");
			});
			score.textContent = good + " of " + questions.length + " right";
		};
		$("answers").onclick = () => questions.forEach((q, n) => { $("answer-" + n).value = q.is; });
		$("others").onclick = () => { round++; ask(); };
	}

	function setQuiz(on) {
		root.classList.toggle("quiz", on);
		$("quiz").setAttribute("aria-pressed", String(on));
		$("questions").hidden = !on;
		document.querySelectorAll(".secret").forEach((e) => {
			if (e.dataset.text === undefined)
				e.dataset.text = e.textContent;
			e.textContent = on ? "?" : e.dataset.text;
		});
		document.querySelectorAll(".cell title").forEach((e) => {
			if (e.dataset.text === undefined)
				e.dataset.text = e.textContent;
			e.textContent = on ? "" : e.dataset.text;
		});
		go(0);
		if (on)
			ask();
	}

	// ---- controls ----

	function theme() {
		const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
		root.dataset.theme = dark ? "light" : "dark";
	}

	function help() {
		const show = $("keys").hidden;
		$("keys").hidden = !show;
		$("help").setAttribute("aria-expanded", String(show));
	}

	const quizOn = () => root.classList.contains("quiz");
	const keys = {
		ArrowRight: () => go(step + 1), ArrowLeft: () => go(step - 1), Home: () => go(0), End: () => go(Infinity),
		PageDown: () => goWalk(current + 1), PageUp: () => goWalk(current - 1), " ": () => play(!timer), q: () => setQuiz(!quizOn()),
		t: theme, "?": help,
	};
	const buttons = {
		next: keys.ArrowRight, back: keys.ArrowLeft, first: keys.Home, last: keys.End, "walk-next": keys.PageDown, "walk-back": keys.PageUp,
		play: keys[" "], quiz: keys.q, theme: theme, help: help, print: () => window.print(),
	};

	function begin() {
		root.classList.add("script");
		data.walks.forEach((w, i) => $("pick").append(make("option", {value: String(i)}, (i + 1) + ". " + w.title + ": " +
			(w.allowed ? "allowed" : w.why))));
		$("pick").addEventListener("change", () => goWalk(Number($("pick").value)));
		for (const id in buttons)
			$(id).addEventListener("click", buttons[id]);
		document.addEventListener("keydown", (e) => {
			const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(e.target.tagName);
			if (!data.walks.length && !["t", "?"].includes(e.key))
				return;
			if (typing || e.ctrlKey || e.altKey || e.metaKey || !keys[e.key] || (e.key === " " && e.target.tagName === "BUTTON"))
				return;
			e.preventDefault();
			keys[e.key]();
		});
		sections.forEach((s) => s.querySelectorAll(".cell").forEach((e) => e.addEventListener("click", () => {
			const i = steps[current].findIndex((x) => concerns(x, e));
			if (i >= 0)
				go(i + 1);
		})));
		addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
		if (data.stat && data.stat.compared)
			fill("stat", ...bars("The whole run: " + data.stat.compared + " nested walks, by ways of translation",
				data.stat.ways, "memory references in all; an access that the TLB serves makes none"));
		else if (data.stat)
			fill("stat", ...bars("The whole run: references of its page walks", data.stat.kinds.map((k) => [k[0], k[2]]),
				"of " + data.stat.kinds.reduce((sum, k) => sum + k[1], 0) + " walks; an access that the TLB serves makes none"));
		if (data.walks.length) {
			goWalk(0);
			return;
		}
		document.querySelector("header").querySelectorAll("button, select").forEach((e) => { e.disabled = !["theme", "help", "print"].includes(e.id); });
	}
	begin();
}());
