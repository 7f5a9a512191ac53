using System.Text.Json;

namespace Detection.Frontend.Tests.Api.Detections;

/// <summary>Queries that the framework would misread are refused.</summary>
public sealed class QueryTests(OneProcess frontend)
{
    [Theory]
    [InlineData("threshold=0,1", "threshold")]
    [InlineData("threshold=0,0", "threshold")]
    [InlineData("iou=0,1", "iou")]
    [InlineData("timeout=2,5", "timeout")]
    [InlineData("max=1,000", "max")]
    [InlineData("treshold=0.9", "Did you mean 'threshold'?")]
    [InlineData("label=person", "Did you mean 'labels'?")]
    [InlineData("confidence=0.5", "'confidence'. Known are async, iou, labels, max, model, threshold, timeout, webhook.")]
    [InlineData("%1b=1", "\\u001b")]
    public async Task Misspelt_parameter_and_decimal_comma_are_refused_by_name(string query, string named)
    {
        var problem = await frontend.Http.PostAsync(Asking.Bytes(TestPictures.Unique(7300), "image/jpeg"), "?" + query).ProblemAsync(400, "invalid-request");

        Assert.Contains(named, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_endpoint_of_detections_refuses_a_parameter_of_another_one()
    {
        var photo = TestPictures.Unique(7301);
        var key = (await frontend.Http.PostAsync(Asking.Bytes(photo, "image/jpeg"), "?Threshold=0.3&labels=person,cat").AnswerAsync()).GetProperty("imageKey").GetString();

        await frontend.Http.ReadAsync($"/v1/detections/{key}?wait=1&threshold=0.4").AnswerAsync();
        await frontend.Http.ReadAsync($"/v1/detections/{key}?timeout=1").ProblemAsync(400, "invalid-request");
        await frontend.Http.ReadAsync($"/v1/detections/{key}/image?wait=1").ProblemAsync(400, "invalid-request");
        await frontend.Http.ReadAsync($"/v1/detections/{key}/events?wait=1").ProblemAsync(400, "invalid-request");
        await frontend.Http.PostAsync(Asking.Form(photo), "/batch?async=true").ProblemAsync(400, "invalid-request");
    }

    [Fact]
    public async Task DeepStack_lists_the_models()
    {
        using var answer = await frontend.Http.PostAsync(new Uri("/v1/vision/custom/list", UriKind.Relative), null);

        var list = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.True(list.GetProperty("success").GetBoolean());
        Assert.Contains("nanodet-g", list.GetProperty("models").EnumerateArray().Select(model => model.GetString()));
    }
}
