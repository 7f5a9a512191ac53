using System.Net;
using System.Net.Http.Headers;

namespace Detection.Page.Tests;

/// <summary>Links point to existing pages, also when management has a separate address.</summary>
public class LinkTests(PageSite site)
{
    [Fact]
    public Task Pages_at_one_address_link_to_each_other() => site.VisitAsync(async visit =>
    {
        await visit.SeenAsync("!document.querySelector('.top a[href=\"/status\"]').hidden");
        await visit.Page.ClickAsync(".top a[href='/status']");
        await visit.Page.WaitForSelectorAsync("#charts .chart");
        await visit.SeenAsync("!document.querySelector('.top [data-page=detect]').hidden");
        await visit.Page.ClickAsync(".top [data-page=detect]");
        await visit.Page.WaitForSelectorAsync("#threshold");
    });

    [Fact]
    public async Task Pages_link_only_to_pages_of_their_address()
    {
        await site.VisitManagedAsync(async visit =>
        {
            await AssertLinksAsync(visit);
            Assert.False(await visit.EvaluateAsync<bool>("document.querySelector('.top [data-page=status]').checkVisibility()"));
        });
        await site.VisitManagementAsync(async visit =>
        {
            await visit.SeenAsync("document.querySelector('.silo .device') !== null");
            await AssertLinksAsync(visit);
            Assert.False(await visit.EvaluateAsync<bool>("document.querySelector('.top [data-page=detect]').checkVisibility()"));
        });
    }

    [Theory]
    [InlineData("/nothing-here")]
    [InlineData("/status")]
    [InlineData("/status/nothing-here")]
    public Task Unknown_address_shows_a_page_with_links(string path) => site.VisitManagedAsync(visit => AssertNotFoundAsync(visit, path), path: path + "?");

    [Fact]
    public Task Unknown_address_needs_no_key() => site.VisitGuardedAsync(visit => AssertNotFoundAsync(visit, "/nothing-here"), path: "/nothing-here");

    [Fact]
    public Task Management_address_has_a_not_found_page() => site.VisitManagementAsync(
        async visit =>
        {
            await visit.SeenAsync("document.querySelector('main a[href=\"/status\"]').checkVisibility()");
            await visit.Page.ClickAsync("main a[href='/status']");
            await visit.Page.WaitForSelectorAsync("#charts .chart");
        },
        path: "/?");

    [Fact]
    public Task Programs_get_a_problem_document() => site.VisitAsync(async visit =>
    {
        var url = new Uri(new Uri(visit.Page.Url), "/nothing-here");
        using var http = new HttpClient();
        using var response = await http.GetAsync(url);
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));

        // Paths below /v1 answer with a problem, whatever the request accepts.
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, "/v1/nothing-here"));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        using var below = await http.SendAsync(request);
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (below.StatusCode, below.Content.Headers.ContentType?.MediaType));
    });

    private static async Task AssertNotFoundAsync(Visit visit, string path)
    {
        Assert.Contains("no page at this address", await visit.TextAsync("h1"), StringComparison.Ordinal);
        Assert.Contains(path, await visit.TextAsync("main"), StringComparison.Ordinal);
        await visit.SeenAsync("document.querySelector('main a[href=\"/\"]').checkVisibility()");
        await AssertLinksAsync(visit);
        await visit.Page.ClickAsync("main a[href='/']");
        await visit.Page.WaitForSelectorAsync("#threshold");
    }

    /// <summary>Every visible link gets a successful answer.</summary>
    private static async Task AssertLinksAsync(Visit visit)
    {
        await visit.SeenAsync("performance.getEntriesByName(new URL('/site.json', location).href).length > 0");
        var statuses = await visit.EvaluateAsync<string[]>("""
            Promise.all([...document.querySelectorAll('a[href^="/"]')].filter((link) => link.checkVisibility()).map(async ({ href }) => `${(await fetch(href)).status} ${href}`))
            """);
        Assert.All(statuses, status => Assert.False(status.StartsWith("404", StringComparison.Ordinal), status));
    }
}
