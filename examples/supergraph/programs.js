// Runs the programs of the example, and sees to it that none outlives it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

const running = new Set();
let stopping = false;

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await stopAll();
    process.exit(1);
  });
}

// Starts a program and gives the first line that it prints: for a server, the address where it answers.
export async function run(command, args, environment) {
  const program = start(command, args, environment);
  const lines = createInterface(program.stdout);
  return new Promise((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("close", () => reject(new Error(`${args[0]} ended before it answered.`)));
  });
}

// Runs a program to its end and gives what it printed.
export async function output(command, args, environment) {
  const program = start(command, args, environment);
  const ended = once(program, "exit");
  const printed = await text(program.stdout);
  const [status] = await ended;
  if (status !== 0) throw new Error(`${args[0]} ended with the status ${status}.`);
  return printed;
}

export async function stopAll() {
  stopping = true;
  const programs = [...running];
  for (const program of programs) program.kill();
  await Promise.all(programs.map((program) => once(program, "exit")));
}

function start(command, args, environment) {
  if (stopping) throw new Error(`${args[0]} was not started: all are being stopped.`);
  const program = spawn(command, args, {
    cwd: import.meta.dirname,
    env: { ...process.env, NODE_ENV: "production", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.add(program);
  program.once("exit", () => running.delete(program));
  return program;
}
