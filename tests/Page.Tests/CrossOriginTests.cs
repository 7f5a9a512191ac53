using System.Net;

namespace Detection.Page.Tests;

/// <summary>Requests that a page of another origin, in a real browser, can send to the server.</summary>
public sealed class CrossOriginTests(PageSite site)
{
    private const string Ask = """
        async (url) => {
          try {
            const body = new Blob([new Uint8Array([1, 2, 3])], { type: 'text/plain' });
            const answer = await fetch(`${url}v1/detections`, { method: 'POST', body });
            return `${answer.status} ${(await answer.json()).type}`;
          } catch {
            return 'blocked';
          }
        }
        """;

    private const string Embed = """
        (url) => new Promise((resolve) => {
          const image = new Image();
          image.onload = () => resolve('shown');
          image.onerror = () => resolve('blocked');
          image.src = `${url}favicon.svg`;
        })
        """;

    [Fact]
    public async Task Page_of_another_origin_can_neither_read_nor_embed_answers()
    {
        await using var other = new LoopbackServer(Page);
        await site.VisitAsync(async visit =>
        {
            var url = new Uri(visit.Page.Url).GetLeftPart(UriPartial.Authority) + "/";
            Assert.Equal("shown", await visit.Page.EvaluateFunctionAsync<string>(Embed, url));
            var page = await visit.Page.BrowserContext.NewPageAsync();
            await page.GoToAsync(other.Url.ToString());

            Assert.Equal("blocked", await page.EvaluateFunctionAsync<string>(Ask, url));
            Assert.Equal("blocked", await page.EvaluateFunctionAsync<string>(Embed, url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)));
        });
    }

    [Fact]
    public async Task Page_of_an_allowed_origin_reads_the_answer()
    {
        await using var other = new LoopbackServer(Page);
        await using var frontend = DetectionProcess.StartFrontend(new Dictionary<string, string?>
        {
            [DetectionSettings.Redis] = null,
            ["Detection__Browsers__AllowedOrigins__0"] = other.Url.GetLeftPart(UriPartial.Authority),
        });
        await frontend.ReadyAsync();
        await site.VisitAsync(frontend, async visit =>
        {
            var page = await visit.Page.BrowserContext.NewPageAsync();
            await page.GoToAsync(other.Url.ToString());

            // Three bytes of text are not an upload: the page reads the problem.
            Assert.Equal("415 /problems/unsupported-media-type", await page.EvaluateFunctionAsync<string>(Ask, frontend.Url.ToString()));
        });
    }

    private static async Task Page(HttpListenerContext context)
    {
        context.Response.StatusCode = (int)HttpStatusCode.OK;
        context.Response.ContentType = "text/html";
        await context.Response.OutputStream.WriteAsync("<!DOCTYPE html><title>Another site</title>"u8.ToArray());
        context.Response.Close();
    }
}
