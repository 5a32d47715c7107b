/*
 * The console's page in a real Chromium, one step a line on stdin, its result a line on
 * stdout: {"step": "text", "of": "#health"} -> {"value": "All well"}.
 */
import {createInterface} from "node:readline";
import {chromium} from "playwright-core";

const [url, pictures] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});
const context = await browser.newContext({viewport: {width: 1320, height: 900}});
const page = await context.newPage();
const complaints = [];
const foreign = [];
page.setDefaultTimeout(10000);
page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
page.on("console", (message) => {
  // a refused login is an answer like another
  if (message.type() === "error" && !/status of 40[19]/.test(message.text()))
    complaints.push(message.text());
});
page.on("request", (request) => {
  if (!request.url().startsWith(url)) foreign.push(request.url());
});

const steps = {
  open: () => page.goto(url).then(() => null),
  fill: ({of, with: text}) => page.fill(of, text),
  click: ({of}) => page.click(of),
  press: ({key}) => page.keyboard.press(key),
  text: ({of}) => page.locator(of).first().innerText(),
  count: ({of}) => page.locator(of).count(),
  visible: ({of}) => page.locator(of).first().isVisible(),
  wait: ({of, has}) => page.locator(of, has ? {hasText: has} : {}).first().waitFor(),
  focused: () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent),
  // what a screen reader is told
  tree: () => page.locator("body").ariaSnapshot(),
  overflow: () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
  look: ({dark, phone}) => Promise.all([
    page.emulateMedia({colorScheme: dark ? "dark" : "light"}),
    page.setViewportSize(phone ? {width: 390, height: 1700} : {width: 1320, height: 900})]),
  picture: ({name, whole}) => page.screenshot({path: `${pictures}/${name}.png`, fullPage: !!whole})
    .then(() => null),
  run: ({script}) => page.evaluate(script),
  complaints: () => ({complaints, foreign}),
};

for await (const line of createInterface({input: process.stdin})) {
  const {step, ...words} = JSON.parse(line);
  try {
    console.log(JSON.stringify({value: (await steps[step](words)) ?? null}));
  } catch (error) {
    console.log(JSON.stringify({error: `${step} ${JSON.stringify(words)}: ${error.message}`}));
  }
}
await browser.close();
