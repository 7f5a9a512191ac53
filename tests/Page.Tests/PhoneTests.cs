namespace Detection.Page.Tests;

/// <summary>The page on a screen 390 CSS pixels wide.</summary>
public class PhoneTests(PageSite site)
{
    [Fact]
    public Task Page_fits_the_width_of_the_screen() => site.VisitAsync(
        async visit =>
        {
            Assert.Equal(0, await visit.BeyondTheEdgeAsync());

            await visit.ChooseAsync(Photos.People);
            await visit.AnsweredAsync();
            await visit.SlideAsync("Home"); // all boxes and rows
            Assert.NotEmpty(await visit.BoxesAsync());
            Assert.Equal(0, await visit.BeyondTheEdgeAsync());

            await visit.EnterUrlAsync("http://169.254.169.254/a-long-name-without-any-place-to-break-it-in-two-parts-or-three.jpg");
            await visit.ProblemAsync();
            Assert.Equal(0, await visit.BeyondTheEdgeAsync());
        },
        Screen.Phone);

    [Fact]
    public Task Tapped_object_is_highlighted_and_the_picture_stays_visible() => site.VisitAsync(
        async visit =>
        {
            await visit.ChooseAsync(Photos.People);
            await visit.AnsweredAsync();

            var row = await visit.Page.QuerySelectorAsync(".object");
            await row.TapAsync();

            Assert.Single(await visit.BoxesAsync(), box => box.Lit);
            Assert.True(await visit.EvaluateAsync<bool>("""
                (({ top, bottom }) => top >= 0 && bottom <= innerHeight)(document.getElementById('picture').getBoundingClientRect())
                """));
        },
        Screen.Phone);
}
