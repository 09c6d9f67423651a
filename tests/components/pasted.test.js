import assert from "node:assert/strict"
import test from "node:test"

import { cleaned } from "../../playground/ui/components/shared/pasted.js"

test("code stays as it is", () => {
  for (const code of ["x = torch.ones(2)\n", "print('，“')  # （1）\n", "s = \"\"\"a\n“b”\n\"\"\"", "d = {'a': 1}", "x = 1\n\n\ny = [\n  1,\n  2,\n]", "", "x = 'it\\'s'", "1\n2"]) {
    assert.equal(cleaned(code), code)
  }
})

test("the code cells of a notebook are joined", () => {
  const cells = [{ cell_type: "markdown", source: ["# Title"] }, { cell_type: "code", source: ["x = 1\n", "y = 2\n"] }, { cell_type: "code", source: "z = 3" }]
  assert.equal(cleaned(JSON.stringify({ cells, nbformat: 4 })), "x = 1\ny = 2\n\nz = 3\n")
  assert.equal(cleaned("{\"a\": 1}"), "{\"a\": 1}")
})

test("prompts go, and what was printed between them", () => {
  assert.equal(cleaned(">>> x = torch.ones(2)\n>>> for i in x:\n...     print(i)\n...\ntensor(1.)\ntensor(1.)\n>>> x"), "x = torch.ones(2)\nfor i in x:\n    print(i)\n\nx")
  assert.equal(cleaned("In [1]: x = 1\n\nIn [2]: for i in [1]:\n   ...:     print(i)\n1\nOut[2]: 3\nIn [ ]: y = 2"), "x = 1\n\nfor i in [1]:\n    print(i)\n1\ny = 2")
})

test("fences and what stands around them go", () => {
  assert.equal(cleaned("Try this:\n```python\nx = 1\n```\nand\n```\ny = 2\n```"), "x = 1\ny = 2")
  assert.equal(cleaned("```python\nx = 1"), "x = 1")
})

test("numbers of lines go", () => {
  assert.equal(cleaned("1 x = 1\n2 for i in [1]:\n3     print(i)"), "x = 1\nfor i in [1]:\n    print(i)")
  assert.equal(cleaned(" 9. a = 1\n10. b = 2\n11. c = 3"), "a = 1\nb = 2\nc = 3")
})

test("signs of a Chinese keyboard and of a word processor become Python's, outside of strings and comments", () => {
  assert.equal(cleaned("x = torch．ones（2，3）".replace("．", ".")), "x = torch.ones(2,3)")
  assert.equal(cleaned("print（“你好，世界”）"), "print(\"你好，世界\")")
  assert.equal(cleaned("a = ‘b’ # ‘c’，"), "a = 'b' # ‘c’，")
  assert.equal(cleaned("if x＞0：\n\u00a0\u00a0y＝1"), "if x>0:\n  y=1")
})
