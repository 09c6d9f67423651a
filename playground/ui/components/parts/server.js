// Requests to the playground's server. The server reports in words what a learner can change; any other failure is a bug and goes to the console, too.

export const UNREACHABLE = "The server does not answer. Is it still running?"

// The JSON of the response, or `{ error }` with a text for the learner.
export async function request(address, options = {}) {
  let response, text
  try {
    response = await fetch(address, options)
    text = await response.text()
  } catch {
    return { error: UNREACHABLE }
  }
  const answer = parsed(text)
  if (answer && (response.ok || answer.error)) return answer
  console.error(`${options.method ?? "GET"} ${address} was answered with ${response.status} ${response.statusText}`, text)
  return { error: `The playground has a bug: the server responded with status ${response.status} and no explanation. Its log has the details.` }
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
