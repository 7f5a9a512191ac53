using System.Net.Http.Headers;
using System.Text;

namespace Detection.Inference.Pulling;

/// <summary>Proves to one server that the request may be made. It is sent to that server only, and over TLS unless the server is this machine.</summary>
/// <param name="origin">An address of the server; scheme, host and port count.</param>
/// <param name="sign">Adds the proof to a request.</param>
internal sealed class PullCredential(Uri origin, Action<HttpRequestMessage> sign)
{
    /// <summary>A token, or <c>user:password</c>; <see langword="null"/> for none.</summary>
    public static PullCredential? Of(Uri origin, string? token) =>
        string.IsNullOrEmpty(token) ? null
        : token.Contains(':', StringComparison.Ordinal) ? new(origin, request => request.Headers.Authorization = Basic(token))
        : new(origin, request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token));

    /// <summary>The header of a user with a password, <c>user:password</c>.</summary>
    public static AuthenticationHeaderValue Basic(string userAndPassword) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(userAndPassword)));

    /// <summary>Adds the proof to a request if it goes to the server that the proof is for.</summary>
    public void Apply(HttpRequestMessage request)
    {
        if (IsFor(request.RequestUri!))
        {
            sign(request);
        }
    }

    private bool IsFor(Uri url) =>
        url.Scheme == origin.Scheme && url.Port == origin.Port && url.IdnHost.Equals(origin.IdnHost, StringComparison.OrdinalIgnoreCase)
        && (url.Scheme == Uri.UriSchemeHttps || url.IsLoopback);
}
