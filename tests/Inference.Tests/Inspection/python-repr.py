# Writes python-repr.json, which PythonLiteralTests reads: python3 python-repr.py
import json
import random

random.seed(14)
pairs = []


def add(value, names):
    pairs.append({"text": repr(value), "names": names})


fixed = [
    ["person", "car"], ["x"], [], [""], [" "], ["N/A"],
    ["it's"], ['say "hi"'], ['it\'s "x"'], ["'"], ['"'], ["'\""],
    ["back\\slash"], ["\\"], ["\\'"], ["\\n"], ["\\x41"],
    ["new\nline"], ["car\rriage"], ["tab\t"], ["\x00", "\x07", "\x1b[0m", "\x7f"], ["\x80", "\xa0", "\xad"],
    ["café"], ["naïve", "Ärger", "straße"], ["é"], ["e\u0301"], ["\u0378"], ["\u200b", "\ufeff", "\u2028"],
    ["人", "自行车"], ["\U0001F600", "\U0001F469\u200D\U0001F4BB"], ["\U000e0001", "\U0010ffff"],
    ["a, b", "c: d", "{e}", "[f]", "(g)"],
]
for names in fixed:
    numbered = list(enumerate(names))
    add(names, names)
    add(tuple(names), names)
    add(dict(numbered), names)
    random.shuffle(numbered)
    add(dict(numbered), names)
    add({str(number): name for number, name in numbered}, names)

letters = "ab '\"\\\n\r\t\x00\x1b\x7f\x85\xa0é\u0100\u2028\u4eba\ufeff\U0001F600\U000e0001{}[],:()"
for _ in range(60):
    names = ["".join(random.choice(letters) for _ in range(random.randint(0, 12))) for _ in range(random.randint(1, 6))]
    numbered = list(enumerate(names))
    random.shuffle(numbered)
    add(names, names)
    add(dict(numbered), names)

with open("python-repr.json", "w") as file:
    json.dump(pairs, file, indent=0)
    file.write("\n")
