using Detection.Contracts.Answers;
using Detection.Contracts.Messages;
using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.Problems;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Browsers;

/// <summary>
/// Refuses requests for other hosts (DNS rebinding): a site can point its own name to this machine, and the browser then treats its pages
/// as pages of this server. Only the Host header shows the difference.
/// </summary>
internal sealed class HostFilter(IOptions<BrowserOptions> options, IOptions<AccessOptions> access, ListeningAddresses addresses) : IMiddleware
{
    private static readonly string[] Own = ["localhost", "127.0.0.1", "[::1]"];

    private readonly HashSet<string> _allowed = [.. Own.Concat(options.Value.AllowedHosts).Select(static host => Normalised(host))];
    private readonly bool _isChosen = options.Value.AllowedHosts.Count > 0;
    private readonly bool _isOpen = options.Value.AllowedHosts.Contains(BrowserOptions.Any);

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        // A client with HTTP/1.0 may omit the host; browsers always send it.
        var host = context.Request.Host.Host;
        if (_isOpen || host.Length == 0 || !Applies(context) || _allowed.Contains(Normalised(host)))
        {
            return next(context);
        }

        throw new ProblemException(
            ProblemType.HostNotAllowed,
            $"This server does not answer for the host '{CallerText.Show(host)}'. Use localhost, or allow the name with the setting Detection:Browsers:AllowedHosts.");
    }

    private bool Applies(HttpContext context) =>
        _isChosen || (!access.Value.RequiresKeys && addresses.IsLoopbackOnly(context.Connection));

    private static string Normalised(string host) => host.Trim('[', ']').TrimEnd('.').ToLowerInvariant();
}
