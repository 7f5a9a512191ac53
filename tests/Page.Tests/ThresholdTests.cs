namespace Detection.Page.Tests;

/// <summary>The slider filters the current answer.</summary>
public class ThresholdTests(PageSite site)
{
    [Fact]
    public Task The_slider_shows_and_hides_boxes_without_a_request() => site.VisitAsync(async visit =>
    {
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();
        var (_, answer) = await site.AskAsync(Photos.People);
        var scores = UploadTests.Boxes(answer).Select(box => box.Score).ToList();
        var before = visit.RequestCount;

        await visit.SlideAsync("Home");
        Assert.Equal("5%", await visit.TextAsync(".threshold output"));
        Assert.Equal(scores.Count(score => score >= 0.05), (await visit.BoxesAsync()).Count);
        Assert.Equal(scores.Count(score => score >= 0.05), await RowsAsync(visit));
        Assert.True(scores.Count > scores.Count(score => score >= 0.4), "The photo has no box between the two ends of the slider.");

        await visit.SlideAsync("End");
        Assert.Equal("95%", await visit.TextAsync(".threshold output"));
        Assert.Equal(scores.Count(score => score >= 0.95), (await visit.BoxesAsync()).Count);
        Assert.Equal(scores.Count(score => score >= 0.95), await RowsAsync(visit));

        Assert.Equal(before, visit.RequestCount);
        Assert.Single(visit.Detections);
    });

    [Fact]
    public Task Class_under_pointer_or_focus_is_highlighted() => site.VisitAsync(async visit =>
    {
        await visit.ChooseAsync(Photos.People);
        await visit.AnsweredAsync();
        Assert.DoesNotContain(await visit.BoxesAsync(), box => box.Lit);

        await visit.Page.HoverAsync(".class-head");
        var count = int.Parse(await visit.TextAsync(".class .count"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(count, (await visit.BoxesAsync()).Count(box => box.Lit));

        await visit.Page.HoverAsync("header .brand");
        Assert.DoesNotContain(await visit.BoxesAsync(), box => box.Lit);

        // With the keyboard: from the slider to the class, then to the first object.
        await visit.Page.FocusAsync("#threshold");
        await visit.Page.Keyboard.PressAsync("Tab");
        Assert.Equal(count, (await visit.BoxesAsync()).Count(box => box.Lit));
        await visit.Page.Keyboard.PressAsync("Tab");
        Assert.Single(await visit.BoxesAsync(), box => box.Lit);
    });

    private static Task<int> RowsAsync(Visit visit) => visit.EvaluateAsync<int>(
        "[...document.querySelectorAll('.object')].filter((row) => row.checkVisibility()).length");
}
