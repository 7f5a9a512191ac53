using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;

namespace Detection.Frontend.Tests.Http.OpenApi;

public sealed class DescriptionTests(OneProcess frontend)
{
    [Fact]
    public async Task Document_is_valid_and_describes_every_operation()
    {
        var document = await ReadAsync();

        var operations = document.Paths.SelectMany(path => path.Value.Operations!.Values).ToDictionary(operation => operation.OperationId!);
        Assert.Equal(
            [
                "ClusterStatus", "Detect", "DetectBatch", "DetectDeepStack", "DetectDeepStackCustom", "DetectLegacy", "DetectLegacyCachedPage", "DetectLegacyPage", "DrainSilo",
                "FindAnnotatedPicture", "FindDeadLetterPicture", "FindDetection", "FindModel", "FindPull", "Infer", "InferVersion", "InferenceModel", "InferenceModelReady",
                "InferenceModelVersion", "InferenceModelVersionReady", "InferenceServer", "InferenceServerLive", "InferenceServerReady", "ListDeadLetters", "ListDeepStackModels", "ListModels", "PullModel", "RetryModel",
                "WatchDetection", "WithdrawPull",
            ],
            operations.Keys.Order(StringComparer.Ordinal));
        Assert.All(operations.Values, operation => Assert.NotEmpty(operation.Summary!));
        var detect = operations["Detect"];
        Assert.Equal(
            ["application/json", "application/octet-stream", "image/*", "multipart/form-data"],
            detect.RequestBody!.Content!.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["application/json", "image/jpeg"], detect.Responses!["200"].Content!.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["Server-Timing", "X-Cache"], detect.Responses["200"].Headers!.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("Retry-After", detect.Responses["503"].Headers!.Keys);
        Assert.Contains("Retry-After", detect.Responses["429"].Headers!.Keys);
        Assert.Equal(
            ["200", "202", "400", "401", "404", "408", "413", "415", "422", "429", "500", "502", "503", "504"],
            detect.Responses.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["async", "iou", "labels", "max", "model", "threshold", "timeout", "webhook"], detect.Parameters!.Select(p => p.Name!).Order(StringComparer.Ordinal));
        Assert.All(detect.Parameters!, parameter => Assert.NotEmpty(parameter.Description!));
        var end = detect.Callbacks!["end"].PathItems!.Single();
        Assert.Equal("$request.query.webhook", end.Key.Expression);
        var webhook = end.Value.Operations![HttpMethod.Post];
        Assert.Equal(["webhook-id", "webhook-signature", "webhook-timestamp"], webhook.Parameters!.Select(p => p.Name!).Order(StringComparer.Ordinal));
        Assert.Equal(["application/json", "application/problem+json"], webhook.RequestBody!.Content!.Keys.Order(StringComparer.Ordinal));
        var threshold = detect.Parameters!.Single(parameter => parameter.Name == "threshold").Schema!;
        Assert.Equal(("0", "1"), (threshold.Minimum, threshold.Maximum));
    }

    [Fact]
    public async Task Answer_has_the_properties_of_the_document()
    {
        var document = await ReadAsync();
        var answer = await frontend.Http.PostAsync(Asking.Form(TestPictures.Unique(731))).AnswerAsync();

        var schemas = document.Components!.Schemas!;
        Assert.Equal(schemas["DetectionBody"].Required!.Order(), answer.EnumerateObject().Select(property => property.Name).Order());
        Assert.Equal(schemas["TimingsBody"].Required!.Order(), answer.GetProperty("timings").EnumerateObject().Select(property => property.Name).Order());
        Assert.Contains(answer.GetProperty("source").GetString(), schemas["AnswerSource"].Enum!.Select(value => value.GetValue<string>()));
    }

    [Fact]
    public async Task Every_problem_of_the_document_is_described()
    {
        var document = await ReadAsync();
        var types = document.Paths.SelectMany(path => path.Value.Operations!.Values)
            .SelectMany(operation => operation.Responses!.Values)
            .SelectMany(response => System.Text.RegularExpressions.Regex.Matches(response.Description ?? "", "`(/problems/[a-z-]+)`"))
            .Select(match => match.Groups[1].Value)
            .ToHashSet();

        Assert.True(types.Count >= 15);
        foreach (var type in types)
        {
            var description = await frontend.Http.ReadAsync(type).AnswerAsync();
            Assert.Equal(type, description.GetProperty("type").GetString());
        }
    }

    [Fact]
    public async Task Models_are_listed_and_found()
    {
        var models = (await frontend.Http.ReadAsync("/v1/models").AnswerAsync()).GetProperty("models");
        var model = Assert.Single(models.EnumerateArray(), model => model.GetProperty("name").GetString() == "nanodet-g");
        Assert.Equal(80, model.GetProperty("labels").GetArrayLength());
        Assert.Equal(416, model.GetProperty("inputWidth").GetInt32());

        var found = await frontend.Http.ReadAsync("/v1/models/nanodet-g").AnswerAsync();
        Assert.Equal(model.GetRawText(), found.GetRawText());
        await frontend.Http.ReadAsync($"/v1/models/{model.GetProperty("id").GetString()}").AnswerAsync();
    }

    private async Task<OpenApiDocument> ReadAsync()
    {
        using var response = await frontend.Http.ReadAsync("/openapi/v1.json");
        response.EnsureSuccessStatusCode();
        var (document, diagnostic) = OpenApiDocument.Parse(await response.Content.ReadAsStringAsync(), "json", new OpenApiReaderSettings());
        Assert.Empty(diagnostic!.Errors);
        Assert.Empty(diagnostic.Warnings);
        return document!;
    }
}
