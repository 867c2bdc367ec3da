// Asks the IAM simulator that is installed in the folder that the first argument
// names. Each line of standard input is one simulation, in the simulator's own
// form, and each line of standard output is the answer to it, in the same order.
// It is a program for tests: nothing of Freehold imports it, and no release has it.
'use strict'

const { createRequire } = require('node:module')
const { createInterface } = require('node:readline')
const path = require('node:path')

const { runSimulation } = createRequire(path.resolve(process.argv[2], 'package.json'))('@cloud-copilot/iam-simulate')

async function answer(line) {
  try {
    const said = await runSimulation(JSON.parse(line), {})
    if (said.resultType === 'error') return { error: JSON.stringify(said.errors) }
    const one = said.resultType === 'single' ? said.result : said.results[0]
    return {
      result: said.overallResult,
      ignored: (one && one.ignoredContextKeys) || [],
      blockedBy: (one && one.analysis && one.analysis.blockedBy) || [],
    }
  } catch (error) {
    return { error: String(error && error.stack ? error.stack : error) }
  }
}

async function main() {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (!process.stdout.write(JSON.stringify(await answer(line)) + '\n')) {
      await new Promise((resolve) => process.stdout.once('drain', resolve))
    }
  }
}

main()
