// The PyTorch script that runs the same race.

/** @import { RaceSettings, SurfaceData } from "./documents.js" */

/**
 * @param {RaceSettings} settings
 * @param {SurfaceData} surface
 */
export function scriptOf({ optimizers, start: [x, y], rate, momentum, steps }, { expression }) {
  /** @type {Record<string, string>} */
  const makers = {
    "SGD": `SGD([x, y], lr=${rate})`,
    "SGD with momentum": `SGD([x, y], lr=${rate}, momentum=${momentum})`, // no text: code
    "Nesterov": `SGD([x, y], lr=${rate}, momentum=${momentum}, nesterov=${momentum > 0 ? "True" : "False"})`, // no text: code
    "RMSprop": `RMSprop([x, y], lr=${rate})`,
    "Adam": `Adam([x, y], lr=${rate})`,
    "AdamW": `AdamW([x, y], lr=${rate})`,
  }
  const chosen = optimizers.map((name) => `    "${name}": lambda x, y: torch.optim.${makers[name]},\n`).join("") // no text: code
  const parameter = (/** @type {number} */ value) => `torch.tensor(${value}, dtype=torch.float64, requires_grad=True)` // no text: code
  return `import torch


def loss(x, y):
    return ${expression.trim()}


optimizers = {
${chosen}}
for name, make in optimizers.items():
    x = ${parameter(x)}
    y = ${parameter(y)}
    optimizer = make(x, y)
    for step in range(${steps}):
        optimizer.zero_grad()
        loss(x, y).backward()
        optimizer.step()
    print(f"{name}: x = {x.item():.4f}, y = {y.item():.4f}, loss = {loss(x, y).item():.4g}")
` // no text: code
}
