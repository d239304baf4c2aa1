"""How a form of the answer is asked for: one description a form and language, several openings a pool."""

from __future__ import annotations

from harness.core.items import OutputSpec
from harness.transforms.declaration import Pool

# {form} is a description from below.
OPENINGS: dict[str, dict[Pool, tuple[str, ...]]] = {
    "en": {
        "challenge": (
            "Write your answer as {form}, and nothing else.",
            "The only thing to return is {form}.",
            "Your whole reply must be {form}.",
        ),
        "treatment": (
            "Answer with {form} only.",
            "Give the result as {form}, without further words.",
            "Please reply in this form: {form}.",
        ),
        "sealed": (
            "What you send back is read by a program that expects {form}.",
            "No comments, just {form}.",
            "Put what you found into {form} and stop there.",
        ),
    },
    "zh": {
        "challenge": ("请把答案写成{form}，不要写别的内容。", "只返回{form}。", "你的全部回复必须是{form}。"),
        "treatment": ("只用{form}作答。", "以{form}给出结果，不要多余的话。", "请按以下形式回复：{form}。"),
        "sealed": (
            "读取回复的程序需要的是{form}。",
            "不加说明，直接给出{form}。",
            "把结果放进{form}里，然后结束。",
        ),
    },
}
_FORMS: dict[str, dict[str, str]] = {
    "en": {
        "json": "a JSON object with the fields {fields}",
        "json_extra": "a JSON object with the fields {fields}",
        "xml": "an XML element <answer> that contains the elements {fields}",
        "yaml": "YAML with one line for each of the keys {fields}",
        "markdown_table": "a Markdown table with one row below the header and the columns {fields}",
        "line": "one bare line, with the values in this order and “ | ” between them: {fields}",
        "key_value": "lines of a name, a colon and a value, with the names {fields}",
        "sentence": "“{written}” with the values in place of the dots",
    },
    "zh": {
        "json": "含有字段{fields}的JSON对象",
        "json_extra": "含有字段{fields}的JSON对象",
        "xml": "含有子元素{fields}的XML元素<answer>",
        "yaml": "每个键占一行的YAML，键为{fields}",
        "markdown_table": "表头下只有一行数据的Markdown表格，各列为{fields}",
        "line": "单独一行，各值之间用“ | ”隔开，顺序为{fields}",
        "key_value": "“名称：值”形式的行，名称为{fields}",
        "sentence": "“{written}”，用实际的值代替省略号",
    },
}
_BARE = {"en": "one bare line with the answer itself", "zh": "只有答案本身的一行文字"}
_BETWEEN = {"en": ", ", "zh": "、"}


def tongue_of(language: str) -> str:
    """Chinese for zh and its variants, English else.

    Example:
        >>> tongue_of("zh-TW"), tongue_of("fr")
        ('zh', 'en')
    """
    return "zh" if language.split("-")[0] == "zh" else "en"


def asked_for(output: OutputSpec, *, language: str, pool: Pool, opening: int) -> str:
    """The sentence that asks for a form.

    Args:
        output: Form and fields.
        language: Of the sentence.
        pool: Whose openings.
        opening: Which of them.

    Example:
        >>> asked_for(OutputSpec("yaml", (("day", "string"),)), language="en", pool="treatment", opening=0)
        'Answer with YAML with one line for each of the keys "day" (string) only.'
    """
    tongue = tongue_of(language)
    fields = _BETWEEN[tongue].join(f'"{name}" ({kind})' for name, kind in output.fields)
    dots = " ".join(f"The {name} is ..." if name.isascii() else f"{name}是……。" for name, _ in output.fields)
    form = _FORMS[tongue][output.format].format(fields=fields, written=dots)
    if output.format == "line" and len(output.fields) == 1:
        form = _BARE[tongue]
    return OPENINGS[tongue][pool][opening].format(form=form)
