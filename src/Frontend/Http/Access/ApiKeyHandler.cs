using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Access;

/// <summary>Authenticates a request by its key: in <c>X-API-Key</c>, in <c>Authorization: Bearer</c>, or in the endpoint's <see cref="IKeySource"/>.</summary>
internal sealed class ApiKeyHandler(
    ApiKeys keys, IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public new const string Scheme = "ApiKey";

    public const string Header = "X-API-Key";

    private const string BearerPrefix = "Bearer ";

    private string? _presented;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        _presented = Presented();
        if (_presented is null && Context.GetEndpoint()?.Metadata.GetMetadata<IKeySource>() is { } source)
        {
            _presented = await source.FindAsync(Context);
        }

        if (_presented is null)
        {
            return AuthenticateResult.NoResult();
        }

        if (keys.Find(_presented) is not { } key)
        {
            return AuthenticateResult.Fail("No such key.");
        }

        Context.Features.Set(key);
        return AuthenticateResult.Success(new AuthenticationTicket(key.User, Scheme));
    }

    /// <summary>Sets the status and the header; the middleware for status codes writes the problem.</summary>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = _presented is null ? "Bearer realm=\"detection\"" : "Bearer realm=\"detection\", error=\"invalid_token\"";
        return Task.CompletedTask;
    }

    private string? Presented()
    {
        if (Request.Headers.TryGetValue(Header, out var values) && values.Count == 1)
        {
            return values[0];
        }

        return Request.Headers.Authorization is [{ } authorization] && authorization.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase)
            ? authorization[BearerPrefix.Length..].Trim()
            : null;
    }
}
