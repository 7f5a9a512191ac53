namespace Detection.Page.Tests;

/// <summary>The focus never returns to the start of the page.</summary>
public class FocusTests(PageSite site)
{
    [Fact]
    public Task Removing_pictures_moves_the_focus_to_the_next_one_and_at_the_end_to_the_button() => site.VisitAsync(async visit =>
    {
        await visit.ChooseAsync(Photos.Text, Photos.People, Photos.OnItsSide);
        await visit.ProblemAsync();
        await visit.Page.FocusAsync("#problem .actions button:last-child");
        await visit.Page.Keyboard.PressAsync("Enter");
        Assert.StartsWith("thumb walkers.webp", await visit.FocusAsync(), StringComparison.Ordinal);
        await visit.AnsweredAsync();

        // A valid picture: with its button, then with the Delete key.
        await visit.Page.FocusAsync("#strip li:first-child .remove");
        await visit.Page.Keyboard.PressAsync("Enter");
        Assert.StartsWith("thumb orientation-6.jpg", await visit.FocusAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await visit.EvaluateAsync<int>("document.querySelectorAll('#strip li').length"));
        await visit.Page.Keyboard.PressAsync("Delete");
        Assert.Equal("choose", await visit.FocusAsync());
        Assert.Equal("empty", await visit.EvaluateAsync<string>("document.body.dataset.state"));

        // All pictures at once.
        await visit.ChooseAsync(Photos.People, Photos.OnItsSide);
        await visit.AnsweredAsync();
        await visit.Page.FocusAsync(".clear");
        await visit.Page.Keyboard.PressAsync("Enter");
        Assert.Equal("choose", await visit.FocusAsync());
    });

    [Fact]
    public Task Sample_button_moves_the_focus_to_its_picture() => site.VisitAsync(async visit =>
    {
        await visit.Page.FocusAsync("#sample");
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.AnsweredAsync();
        Assert.StartsWith("thumb tourist.webp", await visit.FocusAsync(), StringComparison.Ordinal);
    });

    [Fact]
    public Task Entered_key_returns_the_focus() => site.VisitGuardedAsync(async visit =>
    {
        // The page asked for the key when it was opened: no element had the focus.
        await visit.EnterKeyAsync(PageSite.Key);
        Assert.Equal("choose", await visit.FocusAsync());
    });

    [Fact]
    public Task Entered_key_on_the_status_page_focuses_the_headline() => site.VisitGuardedAsync(
        async visit =>
        {
            await visit.EnterKeyAsync(PageSite.Key);
            Assert.Equal("headline", await visit.FocusAsync());
        },
        path: "/status");
}
