/* Questions to the program that serves this page, on this machine. */

const GONE = "cascade-plan explore does not answer any more: start it again, and put what stands after # behind its address.";

/** The answer to a question: {ok: true, ...}, or {ok: false, problems: [{field, message}], error}. */
export async function ask(name, posted = {}) {
  try {
    const response = await fetch(name, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(posted),
      credentials: "omit",
    });
    if (response.ok) return await response.json();
    const words = response.status === 500 ? "this is a bug of cascade-plan: its terminal says more" : await response.text();
    return { ok: false, problems: [], error: words };
  } catch {
    return { ok: false, problems: [], error: GONE };
  }
}
