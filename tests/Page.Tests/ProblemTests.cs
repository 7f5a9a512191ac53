using System.Net;
using System.Text.Json;
using PuppeteerSharp;

namespace Detection.Page.Tests;

/// <summary>The page shows problems as text, with the possible actions.</summary>
public class ProblemTests(PageSite site)
{
    [Fact]
    public Task Url_that_may_not_be_fetched_shows_a_problem() => site.VisitAsync(async visit =>
    {
        const string Metadata = "http://169.254.169.254/latest/meta-data";
        await visit.EnterUrlAsync(Metadata);

        AssertSays(await site.AskAsync(new Uri(Metadata)), await visit.ProblemAsync());
        Assert.Empty(await visit.BoxesAsync());
    });

    [Fact]
    public Task Text_file_with_the_name_of_a_photo_shows_a_problem_and_can_be_removed() => site.VisitAsync(async visit =>
    {
        await visit.ChooseAsync(Photos.Text);

        AssertSays(await site.AskAsync(Photos.Text), await visit.ProblemAsync());
        await visit.Page.ClickAsync("#problem .actions button:last-child");
        Assert.Equal("empty", await visit.EvaluateAsync<string>("document.body.dataset.state"));
    });

    [Fact]
    public Task Truncated_photo_shows_a_problem_and_the_others_still_work() => site.VisitAsync(async visit =>
    {
        await visit.ChooseAsync(Photos.Truncated, Photos.People);

        AssertSays(await site.AskAsync(Photos.Truncated), await visit.ProblemAsync());
        await visit.SeenAsync("document.querySelector('.thumb[data-state=done]') !== null");
        await visit.Page.ClickAsync(".thumb[data-state=done]");
        await visit.AnsweredAsync();
        Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('problem').hidden"));
        Assert.NotEmpty(await visit.BoxesAsync());
    });

    // A queue is full only for milliseconds here, so the test replaces the first answer; the second is the server's.
    [Fact]
    public Task Full_queue_shows_a_countdown_and_can_be_retried() => site.VisitAsync(async visit =>
    {
        var refused = 0;
        await visit.Page.SetRequestInterceptionAsync(true);
        visit.Page.AddRequestInterceptor(request =>
            request.Method == HttpMethod.Post && Interlocked.Increment(ref refused) == 1
                ? request.RespondAsync(new ResponseData
                {
                    Status = HttpStatusCode.ServiceUnavailable,
                    ContentType = "application/problem+json",
                    Headers = new Dictionary<string, object> { ["Retry-After"] = "2" },
                    Body = """{"title":"The queue is full","status":503,"detail":"256 pictures wait already."}""",
                })
                : request.ContinueAsync());

        await visit.ChooseAsync(Photos.People);
        var problem = await visit.ProblemAsync();
        Assert.Contains("The queue is full", problem, StringComparison.Ordinal);
        Assert.Contains("256 pictures wait already.", problem, StringComparison.Ordinal);
        Assert.Contains("Try again in", problem, StringComparison.Ordinal);
        Assert.True(await visit.EvaluateAsync<bool>("document.querySelector('#problem .primary').disabled"));

        await visit.SeenAsync("!document.querySelector('#problem .primary').disabled");
        await visit.Page.ClickAsync("#problem .primary");
        await visit.AnsweredAsync();
        Assert.NotEmpty(await visit.BoxesAsync());
    });

    private static void AssertSays((HttpStatusCode Status, JsonElement Body) said, string shown)
    {
        Assert.InRange((int)said.Status, 400, 599);
        Assert.Contains(said.Body.GetProperty("title").GetString()!, shown, StringComparison.Ordinal);
        Assert.Contains(said.Body.GetProperty("detail").GetString()!, shown, StringComparison.Ordinal);
        Assert.Contains($"HTTP {(int)said.Status}", shown, StringComparison.Ordinal);
    }
}
