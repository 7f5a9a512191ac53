namespace Detection.Page.Tests;

/// <summary>A server that requires an API key.</summary>
public class KeyTests(PageSite site)
{
    [Fact]
    public Task Page_asks_for_the_key_and_continues() => site.VisitGuardedAsync(async visit =>
    {
        await visit.ChooseAsync(Photos.People);
        Assert.Contains("HTTP 401", await visit.ProblemAsync(), StringComparison.Ordinal);

        await visit.EnterKeyAsync("not-the-key");
        await visit.SeenAsync("document.getElementById('key-error').textContent.includes('does not know')");
        await visit.EnterKeyAsync(PageSite.Key);

        await visit.AnsweredAsync();
        Assert.NotEmpty(await visit.BoxesAsync());
        Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('key-form').hidden"));

        // The tab keeps the key when the page is reloaded.
        await visit.Page.ReloadAsync();
        await visit.Page.WaitForSelectorAsync("#threshold");
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();
        Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('key-form').hidden"));
    });

    [Fact]
    public Task Key_field_fits_a_phone() => site.VisitGuardedAsync(
        async visit =>
        {
            await visit.SeenAsync("!document.getElementById('key-form').hidden");
            Assert.Equal(0, await visit.BeyondTheEdgeAsync());
            Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('key-form').getBoundingClientRect().right <= innerWidth"));
        },
        Screen.Phone);

    [Fact]
    public Task Page_asks_for_no_key_when_none_is_configured() => site.VisitAsync(async visit =>
    {
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();
        Assert.True(await visit.EvaluateAsync<bool>("document.getElementById('key-form').hidden"));
    });
}
