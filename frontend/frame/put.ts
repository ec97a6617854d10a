/** Files sent to the server as they are, with progress. */

export interface Problem {
  readonly message?: string;
  readonly hint?: string;
  readonly where?: string;
}

export interface Reply<Answer> {
  readonly status: number;
  /** Whether the answer is the sign-in page, since the session has ended. */
  readonly ended: boolean;
  readonly answer: Answer & { readonly error?: Problem };
}

/** Send a file, and return the server's answer. `progress` gets the bytes sent and their total. Rejects without an answer. */
export function put<Answer>(address: string, csrf: string, file: File, progress: (loaded: number, total: number) => void): Promise<Reply<Answer>> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", address);
    request.setRequestHeader("x-csrf", csrf);
    request.upload.onprogress = ({ loaded, total }) => progress(loaded, total);
    request.onerror = () => reject(new Error("no answer"));
    request.onload = () => {
      let answer = {} as Reply<Answer>["answer"];
      try {
        answer = JSON.parse(request.responseText) as Reply<Answer>["answer"];
      } catch {
        // what a proxy says is no answer of ours: the status alone counts
      }
      const ended = request.status === 401 || request.responseURL.includes("/dashboard/login");
      resolve({ status: request.status, ended, answer });
    };
    request.send(file);
  });
}
