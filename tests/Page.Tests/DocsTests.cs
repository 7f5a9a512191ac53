using System.Net;
using System.Net.Http.Json;
using PuppeteerSharp;

namespace Detection.Page.Tests;

/// <summary>The page <c>/docs</c> shows the API and sends requests.</summary>
public class DocsTests(PageSite site)
{
    [Fact]
    public Task Api_page_shows_and_sends_requests_without_another_host() => site.VisitAsync(
        async visit =>
        {
            // Visit asserts at its end that no other host was requested and that the console has no errors, also none of the policy.
            await visit.SeenAsync("document.body.innerText.includes('/v1/detections')");
            await visit.SeenAsync("document.body.innerText.includes('/v1/models')");
            var policy = await visit.EvaluateAsync<string>("fetch('/docs/').then((answer) => answer.headers.get('Content-Security-Policy'))");
            Assert.StartsWith("default-src 'self'; script-src 'self' 'nonce-", policy, StringComparison.Ordinal);
            Assert.NotEqual(policy, await visit.EvaluateAsync<string>("fetch('/docs/').then((answer) => answer.headers.get('Content-Security-Policy'))"));

            // A script that another party put into the page does not run.
            await visit.EvaluateAsync<object>("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.intruder = true' }))");
            Assert.False(await visit.EvaluateAsync<bool>("'intruder' in window"));
            visit.Forgive("violates the following Content Security Policy directive");
        },
        path: "/docs");

    [Fact]
    public Task Example_of_a_detection_is_a_request_that_works() => site.VisitAsync(async visit =>
    {
        var description = await site.ReadAsync("/openapi/v1.json");
        var example = description.GetProperty("paths").GetProperty("/v1/detections").GetProperty("post").GetProperty("requestBody")
            .GetProperty("content").GetProperty("application/json").GetProperty("example");
        using var http = new HttpClient();
        using var answer = await http.PostAsJsonAsync(new Uri(new Uri(visit.Page.Url), "/v1/detections"), example);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await visit.Page.GoToAsync(new Uri(new Uri(visit.Page.Url), "/docs").ToString());
        await visit.SeenAsync($"document.body.innerText.includes('{example.GetProperty("image").GetString()![..20]}')");
    });

    [Fact]
    public Task Api_page_needs_no_key_and_is_linked() => site.VisitGuardedAsync(async visit =>
    {
        await visit.EnterKeyAsync(PageSite.Key);
        await visit.Page.ClickAsync(".top a[href='/docs']");
        await visit.SeenAsync("document.body.innerText.includes('/v1/detections')");
    });
}
