/* Spans as their dialects send them, and what they used; included by test_tokens.c. */
/* clang-format off */
{"the convention", LLM, "x", "chat", "openai", "gpt-4o",
 "{\"gen_ai.usage.input_tokens\":1200,\"gen_ai.usage.output_tokens\":150}",
 "input=1200 output=150 plain"},
