using System.Net;

namespace Detection.Frontend.Tests.Http.Site;

public sealed class SiteTests(OneProcess frontend)
{
    [Theory]
    [InlineData("/")]
    [InlineData("/detectConsult")]
    public async Task Page_has_security_headers(string path)
    {
        using var response = await frontend.Http.ReadAsync(path);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        Assert.Contains("<html", await response.Content.ReadAsStringAsync(), StringComparison.OrdinalIgnoreCase);
        Assert.StartsWith("default-src 'self';", Assert.Single(response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.True(response.Headers.CacheControl?.NoCache);
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task Unchanged_page_gets_304()
    {
        using var first = await frontend.Http.ReadAsync("/");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/", UriKind.Relative));
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await frontend.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }
}
