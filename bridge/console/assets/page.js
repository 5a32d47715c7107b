/*
 * Asks the API every two seconds and writes what it says into the page.  Nothing from
 * outside ever becomes markup: all of it goes through textContent.
 */
"use strict";

const EVERY = 2000; // milliseconds
const $ = (id) => document.getElementById(id);
const state = {live: true, password: false, signedIn: false, newest: 0, first: 0, next: 0,
               filters: "", destinations: [], timer: 0, dead: "", types: new Set()};

// ---- elements ----

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value;
    else if (name === "label") element.dataset.label = value;
    else if (name === "on") element.addEventListener("click", value);
    else element[name] = value;
  }
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== "") element.append(child);
  return element;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/* Rows by key: one that stays keeps its place, and with it the reader's focus. */
function writeRows(body, rows) {
  const old = new Map([...body.children].map((row) => [row.dataset.key, row]));
  let before = body.firstElementChild;
  for (const {key, print, build} of rows) {
    let row = old.get(key);
    old.delete(key);
    if (row && row.dataset.print !== print) {
      const focused = row.contains(document.activeElement);
      const fresh = build();
      if (row === before) before = fresh;
      row.replaceWith(fresh);
      row = fresh;
      if (focused) row.querySelector("button")?.focus();
    }
    if (!row) row = build();
    row.dataset.key = key;
    row.dataset.print = print;
    if (row === before) before = before.nextElementSibling;
    else body.insertBefore(row, before);
  }
  for (const row of old.values()) row.remove();
}

function cell(label, properties, ...children) {
  return make("td", {label, ...properties}, ...children);
}

// ---- words ----

const whole = new Intl.NumberFormat("en");
const number = (n) => whole.format(n);
const rate = (n) => (n >= 100 ? number(Math.round(n)) : n.toFixed(1));

function duration(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  for (let i = 0; i < units.length; i++) {
    const [size, name] = units[i];
    if (seconds < size && size > 1) continue;
    const rest = i < 2 ? Math.floor(seconds % size / units[i + 1][0]) : 0;
    return `${Math.floor(seconds / size)} ${name}${rest ? ` ${rest} ${units[i + 1][1]}` : ""}`;
  }
  return "";
}

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${unit > 0 && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

const two = (n) => String(n).padStart(2, "0");

/* The time of today, the date with it for other days; the whole in the title. */
function when(text, parent) {
  if (!text) return "";
  const date = new Date(text);
  const day = date.toDateString() === new Date().toDateString() ? ""
    : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `;
  return make("time", {dateTime: text, title: text, ...parent},
              `${day}${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`);
}

const LOOKS = {well: "good", failing: "warn", held: "bad", delivered: "good", pending: "warn",
               dead: "bad", critical: "bad", high: "bad", medium: "warn"};
const MARKS = {good: "●", warn: "▲", bad: "■"}; // not by colour alone

function tag(word, text = word) {
  const look = LOOKS[word] || "";
  return make("span", {class: `tag ${look}`}, look ? make("span", {ariaHidden: "true"}, MARKS[look])
                                                   : "", text);
}

// ---- asking ----

async function ask(path, body) {
  const options = body === undefined ? {}
    : {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)};
  const response = await fetch(path, {credentials: "same-origin", cache: "no-store", ...options});
  const answer = response.status === 204 ? {} : await response.json();
  if (response.status === 401 && path !== "/api/login") {
    showSignIn();
    throw new Error("");
  }
  if (!response.ok) throw new Error(answer.error || `status ${response.status}`);
  return answer;
}

// ---- signing in ----

function showSignIn() {
  state.signedIn = false;
  $("content").hidden = true;
  $("sign-out").hidden = true;
  write($("health"), "Signed out");
  $("health").className = "pill";
  if ($("sign-in").hidden) {
    $("sign-in").hidden = false;
    $("password").focus();
  }
}

$("sign-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  write($("sign-in-error"), "");
  try {
    await ask("/api/login", {password: $("password").value});
    $("password").value = "";
    await refresh();
    $("main").focus();
  } catch (error) {
    write($("sign-in-error"), error.message);
    $("password").select();
  }
});

$("sign-out").addEventListener("click", async () => {
  await ask("/api/logout", {});
  showSignIn();
});

// ---- now ----

function spark(points) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const values = points.map((point) => point.rate);
  const most = Math.max(1, ...values);
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 100 24");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  if (values.length < 2) return svg;
  const line = values.map((value, i) => `${(i / (values.length - 1) * 100).toFixed(2)} ` +
                                        `${(23 - value / most * 21).toFixed(2)}`).join(" L");
  for (const [name, d] of [["area", `M0 24 L${line} L100 24Z`], ["line", `M${line}`]]) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

function card(name, value, unit, foot, look = "") {
  return {key: name, print: `${value}${unit}${look}${foot instanceof Node ? Math.random() : foot}`,
          build: () => make("li", {class: `card ${look}`}, make("span", {class: "name"}, name),
                            make("span", {class: "value"}, value, unit ? make("small", {}, unit) : ""),
                            typeof foot === "string" ? make("span", {class: "detail"}, foot) : foot)};
}

function meter(spool) {
  const bar = make("progress", {max: spool.max_bytes, value: spool.bytes});
  bar.setAttribute("aria-label", "Spool used");
  return make("div", {class: "detail"}, bar,
              `of ${size(spool.max_bytes)}; disk ${size(spool.free_bytes)} free`);
}

function writeCards(status) {
  const {rates, spool, counters = {}, destinations} = status;
  const behind = destinations.filter((d) => d.pending > 0);
  const most = Math.max(0, ...destinations.map((d) => d.pending));
  const lag = Math.max(0, ...destinations.map((d) => d.lag_seconds));
  const dead = destinations.reduce((sum, d) => sum + d.dead, 0);
  const invalid = counters.signature_invalid_total || 0;
  const full = spool.bytes / spool.max_bytes;
  writeRows($("cards"), [
    card("Received", rate(rates.in), "events/s", spark(rates.in_series)),
    card("Sent", rate(rates.out), "messages/s", spark(rates.out_series)),
    card("Pending", number(most), "", most === 0 ? "everything is delivered"
         : `${behind.length === 1 ? behind[0].name : `${behind.length} destinations`}, ` +
           `oldest ${duration(lag)}`, lag > 60 ? "warn" : ""),
    card("Dead letters", number(dead), "", spool.rejected > 0
         ? `and ${number(spool.rejected)} rejected bodies` : dead ? "they wait for you" : "none",
         dead > 0 ? "bad" : ""),
    card("Bad signatures", number(invalid), "", `of ${number(counters.requests_total || 0)} requests`),
    card("Spool", size(spool.bytes), "", meter(spool), full > .9 ? "bad" : full > .7 ? "warn" : ""),
  ]);
}

function writeHealth(status) {
  const away = status.destinations.filter((d) => d.state !== "well");
  const dead = status.destinations.reduce((sum, d) => sum + d.dead, 0);
  const [look, text] = !status.ready ? ["bad", "Not ready"]
    : away.length > 0 ? ["warn", `${away.length} of ${status.destinations.length} destinations in trouble`]
    : dead > 0 ? ["warn", `${number(dead)} dead ${dead === 1 ? "letter" : "letters"}`]
    : ["good", "All well"];
  write($("health"), text);
  $("health").className = `pill ${look}`;
  document.title = `${look === "good" ? "" : "▲ "}siembridge ${status.host || ""}`;
  const trouble = status.ready ? status.spool.error : `not ready: ${status.reason}`;
  $("trouble").hidden = !trouble;
  write($("trouble"), trouble || "");
}

// ---- destinations ----

function destinationRow(destination, out, status) {
  const trouble = destination.last_error
    ? make("span", {class: destination.failures > 0 ? "why" : "why past"},
           destination.failures > 0 ? "" : "before: ", destination.last_error,
           destination.failures > 1 ? ` (${number(destination.failures)} times in a row)` : "")
    : "";
  const replay = make("button", {type: "button", disabled: !status.has_password,
                                 title: status.has_password ? ""
                                   : "needs console.password_file; or use: siembridge replay",
                                 on: () => openReplay(destination)}, "Replay…");
  replay.setAttribute("aria-label", `Replay to ${destination.name}`);
  return make("tr", {},
    cell("Destination", {}, make("div", {}, make("strong", {}, destination.name),
         make("span", {class: "sub"}, destination.target || "",
              destination.format ? ` · ${destination.format}` : ""), trouble)),
    cell("State", {}, tag(destination.state)),
    cell("Events/s", {class: "number"}, rate(out)),
    cell("Pending", {class: "number"}, number(destination.pending)),
    cell("Lag", {class: "number"}, destination.pending > 0 ? duration(destination.lag_seconds) : "–"),
    cell("Dead", {class: "number"}, number(destination.dead)),
    cell("", {class: "action"}, replay));
}

function writeDestinations(status) {
  writeRows($("destinations"), status.destinations.map((destination) => {
    const out = status.rates.destinations[destination.name] || 0;
    return {key: destination.name, print: JSON.stringify([destination, out, status.has_password]),
            build: () => destinationRow(destination, out, status)};
  }));
  const names = status.destinations.map((d) => d.name);
  if (names.join() !== state.destinations.join()) {
    state.destinations = names;
    $("f-destination").replaceChildren(make("option", {value: ""}, "any"),
                                       ...names.map((name) => make("option", {}, name)));
  }
  writeRows($("replays"), status.replays.map((replay) => ({
    key: String(replay.number), print: JSON.stringify(replay), build: () => replayLine(replay)})));
}

function replayLine(replay) {
  const total = replay.last - replay.first + 1;
  const done = Math.max(0, Math.min(total, replay.done - replay.first + 1));
  const bar = make("progress", {max: total, value: replay.finished_at ? total : done});
  bar.setAttribute("aria-label", `Replay ${replay.number}`);
  return make("div", {class: "replay-line"},
    make("span", {}, `Replay ${replay.number} to ${replay.destination}: ${number(replay.first)} to ` +
         `${number(replay.last)}, by ${replay.asked_by}, `,
         replay.finished_at ? "done at " : `${Math.floor(done / total * 100)} %`,
         when(replay.finished_at)), bar);
}

// ---- sources ----

function writeSources(status) {
  const rows = [];
  for (const source of status.sources)
    for (const secret of source.secrets.length > 0 ? source.secrets : [{}])
      rows.push({key: `${source.name} ${secret.file}`, print: JSON.stringify([source, secret]),
        build: () => make("tr", {}, cell("Source", {}, make("strong", {}, source.name)),
          cell("Path", {class: "mono"}, source.path), cell("Signature", {}, source.signature),
          cell("Secret", {class: "mono"}, secret.file || "none"),
          cell("Used", {class: "number"}, number(secret.used || 0)),
          cell("Last used", {class: "time"}, when(secret.last_used_at) || "not since the start"))});
  writeRows($("sources"), rows);
}

// ---- events ----

function statuses(event) {
  const all = Object.entries(event.destinations);
  const told = all.filter(([, status]) => status !== "not-routed");
  if (told.length === 0) return tag("not-routed", "not routed");
  const same = told.every(([, status]) => status === told[0][1]);
  if (same && told.length > 1) return tag(told[0][1], `${told[0][1]} (${told.length})`);
  return make("span", {class: "tags"}, told.map(([name, status]) => tag(status, `${name}: ${status}`)));
}

function eventRow(event) {
  const open = make("button", {type: "button", class: "link mono", on: () => openEvent(event)}, event.id);
  return make("tr", {}, cell("Received", {class: "time"}, when(event.received_at)),
    cell("Type", {}, event.type), cell("Id", {}, open),
    cell("Resource", {class: "mono"}, event.resource || ""),
    cell("Severity", {}, event.severity ? tag(event.severity) : ""), cell("Status", {}, statuses(event)));
}

const rowOf = (event) => ({key: String(event.sequence), print: JSON.stringify(event),
                           build: () => eventRow(event)});
let shown = [];

function writeEvents() {
  writeRows($("events"), shown.map(rowOf));
  for (const event of shown) state.types.add(event.type);
  if ($("types").childElementCount !== state.types.size)
    $("types").replaceChildren(...[...state.types].sort().map((type) => make("option", {value: type})));
  write($("events-note"), shown.length > 0 ? ""
    : state.next ? "Nothing so far; older events were not looked at yet."
    : state.filters ? "No event that is kept fits that search."
    : "No events yet. They appear here as soon as a sender delivers one.");
  $("event-table").hidden = shown.length === 0;
  $("more").hidden = !state.next;
}

async function loadEvents(older) {
  const before = older && state.next ? `&before=${state.next}` : "";
  const filters = state.filters;
  const answer = await ask(`/api/events?limit=50${filters}${before}`);
  if (filters !== state.filters) return; // another search was begun meanwhile
  if (older) {
    shown = shown.concat(answer.events);
    state.next = answer.next || 0;
  } else if (shown.length > 50) { // older ones stay where they were asked for
    const oldest = answer.events.length > 0 ? answer.events[answer.events.length - 1].sequence : 0;
    shown = answer.events.concat(shown.filter((event) => event.sequence < oldest));
  } else {
    shown = answer.events;
    state.next = answer.next || 0;
  }
  writeEvents();
}

function setFilters() {
  const words = new FormData($("search"));
  state.filters = "";
  for (const [name, value] of words)
    if (value.trim()) state.filters += `&${name}=${encodeURIComponent(value.trim())}`;
  shown = [];
  state.next = 0;
  return loadEvents(false).catch(tell);
}

$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  setFilters();
});
$("search").addEventListener("reset", () => setTimeout(setFilters));
$("search").addEventListener("change", (event) => {
  if (event.target.tagName === "SELECT") setFilters();
});
$("more").addEventListener("click", () => loadEvents(true).catch(tell));

// ---- one event ----

function facts(pairs) {
  return make("dl", {class: "facts"}, pairs.filter(([, value]) => value)
    .map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function course(at) {
  const line = make("p", {}, make("strong", {}, at.name), tag(at.status, at.status.replace("-", " ")));
  if (at.confirmed_by) line.append(make("span", {class: "muted"}, "confirmed by ", when(at.confirmed_by)));
  if (at.format) line.append(make("span", {class: "muted"}, `as ${at.format}`));
  return make("div", {class: "course"}, line,
    at.reason ? make("span", {class: "why"}, `Dead letter ${at.dead_letter}: ${at.reason}`) : "",
    at.dropped ? make("span", {class: "why past"}, `Dropped ${at.dropped}`) : "",
    at.last_error ? make("span", {class: "why"}, `${number(at.failed_attempts)} attempts failed: ${at.last_error}`) : "",
    at.rendered ? make("pre", {tabIndex: 0, ariaLabel: `The line for ${at.name}`}, at.rendered) : "");
}

function eventBody(event) {
  const named = new Set(["type", "id"]);
  return [
    facts([["Type", event.type], ["Id", make("span", {class: "mono"}, event.id)],
           ["Resource", event.resource && make("span", {class: "mono"}, event.resource)],
           ["Source", event.source], ["Sequence", number(event.sequence)],
           ["Severity", event.severity && tag(event.severity)],
           ["Received", event.received_at], ["Occurred", event.occurred_at]]),
    event.intact ? "" : make("p", {class: "notice bad"}, "This row was changed on disk: it does not fit the hash chain."),
    event.not_normalised ? make("p", {class: "notice bad"}, `It cannot be normalised: ${event.not_normalised}`) : "",
    make("h3", {}, "At the destinations"), event.destinations.map(course),
    make("h3", {}, "Normalised fields"),
    facts(Object.entries(event.fields).filter(([name]) => !named.has(name))),
    make("h3", {}, "Body as received, keys masked"),
    make("pre", {tabIndex: 0, ariaLabel: "The body"}, pretty(event.body)),
    make("h3", {}, "Proof of the sender"),
    facts(event.evidence.map(({name, value}) => [name, make("span", {class: "mono"}, value)])),
  ].flat(Infinity).filter((part) => part !== "");
}

async function openEvent(line) {
  try {
    const {events} = await ask(`/api/events/${encodeURIComponent(line.id)}?sequence=${line.sequence}`);
    write($("event-title"), events[0].fields.name || events[0].type);
    $("event-body").replaceChildren(...eventBody(events[0]));
    $("event").showModal();
    $("event-title").focus();
  } catch (error) {
    tell(error);
  }
}

// ---- replay ----

function openReplay(destination) {
  const form = $("replay-form");
  form.reset();
  form.dataset.destination = destination.name;
  write($("replay-destination"), destination.name);
  write($("replay-note"), "");
  $("r-from").value = state.first;
  $("r-to").value = state.newest;
  $("replay").showModal();
  $("r-from").select();
}

$("replay-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const order = {destination: form.dataset.destination, from: Number(form.elements.from.value),
                 to: Number(form.elements.to.value), rate: Number(form.elements.rate.value)};
  if (form.elements.type.value.trim()) order.type = form.elements.type.value.trim();
  $("replay-go").disabled = true;
  $("replay-note").className = "error";
  try {
    const answer = await ask("/api/replay", order);
    $("replay-note").className = "";
    write($("replay-note"), `Ordered: ${number(answer.events)} events.`);
    setTimeout(() => $("replay").close(), 1200);
  } catch (error) {
    write($("replay-note"), error.message);
  }
  $("replay-go").disabled = false;
});

for (const button of document.querySelectorAll("[data-close]"))
  button.addEventListener("click", () => button.closest("dialog").close());
for (const dialog of document.querySelectorAll("dialog"))
  dialog.addEventListener("click", (event) => { // on the backdrop
    if (event.target === dialog) dialog.close();
  });

// ---- dead letters ----

async function loadDead(status) {
  const print = JSON.stringify([status.destinations.map((d) => d.dead), status.spool.rejected,
                                status.spool.first]);
  if (print === state.dead) return;
  const {dead, rejected} = await ask("/api/dead");
  state.dead = print;
  $("dead-table").hidden = dead.length === 0;
  write($("dead-note"), (dead.length === 0 ? "None: nothing that was accepted is undeliverable."
    : "What can never be delivered as it is. Mend the cause, then: siembridge dead replay.") +
    (rejected > 0 ? ` ${number(rejected)} signed bodies were no event: siembridge dead list.` : ""));
  writeRows($("dead"), dead.map((letter) => ({key: String(letter.number), print: JSON.stringify(letter),
    build: () => make("tr", {}, cell("Since", {class: "time"}, when(letter.died_at)),
      cell("Destination", {}, letter.destination), cell("Type", {}, letter.type),
      cell("Id", {}, make("button", {type: "button", class: "link mono",
                                     on: () => openEvent(letter)}, letter.id || String(letter.sequence))),
      cell("Reason", {}, letter.reason))})));
}

// ---- round and round ----

function tell(error) {
  if (!error.message) return; // it was told already
  write($("health"), "No answer");
  $("health").className = "pill bad";
  $("trouble").hidden = false;
  write($("trouble"), `The console does not answer: ${error.message}`);
}

async function refresh() {
  const status = await ask("/api/status");
  state.signedIn = true;
  state.first = status.spool.first;
  state.newest = status.spool.last;
  $("sign-in").hidden = true;
  $("content").hidden = false;
  $("sign-out").hidden = !status.has_password;
  write($("host"), status.host || "");
  write($("updated"), `as of ${new Date(status.now).toLocaleTimeString("en-GB")}`);
  write($("about"), `siembridge ${status.version}, started ${status.started_at || "never"}`);
  writeHealth(status);
  writeCards(status);
  writeDestinations(status);
  writeSources(status);
  if (!$("event").open) await loadEvents(false);
  await loadDead(status);
}

async function turn() {
  clearTimeout(state.timer);
  if (state.live && !document.hidden && (state.signedIn || $("sign-in").hidden))
    await refresh().catch(tell);
  state.timer = setTimeout(turn, EVERY);
}

$("live").addEventListener("click", () => {
  state.live = !state.live;
  $("live").setAttribute("aria-pressed", String(state.live));
  write($("live"), state.live ? "Live" : "Paused");
  turn();
});
document.addEventListener("visibilitychange", turn);
turn();
