using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests.Api.Detections;

/// <summary>Parameters as fields of a form or of JSON, and invalid fields beside a picture.</summary>
public sealed class FieldTests(OneProcess frontend)
{
    private static readonly byte[] Photo = File.ReadAllBytes(TestPictures.Path("astronaut.png"));

    public static TheoryData<string, string, string> Refused => new()
    {
        // Inputs as in public reports: localised numbers, misspelt names, names of other servers, files that are sent twice.
        { "threshold", "0,1", "The parameter 'threshold' is '0,1'. Use one number, with a decimal point." },
        { "max", "1,000", "The parameter 'max' is '1,000'" },
        { "treshold", "0.1", "Did you mean 'threshold'?" },
        { "label", "person", "Did you mean 'labels'?" },
        { "min_confidence", "0.4", "unknown field 'min_confidence'. Known are image, url, async" },
        { "labels", "persn", "The model 'nanodet-g' has no label 'persn'. Did you mean 'person'?" },
        { "labels", "person,unicorn", "has no label 'unicorn'. Known are person, bicycle" },
        { "threshold", "high", "'threshold' cannot be 'high'." },
        { "threshold", "1.5", "Threshold" },
        { "async", "maybe", "'async' cannot be 'maybe'." },
        { "model", "nanodet", "nanodet" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Misread_field_is_refused_in_form_and_json_and_the_next_picture_is_answered(string name, string value, string said)
    {
        var before = await BoxesAsync(Asking.Form(Photo));
        var form = Asking.Form(Photo);
        form.Add(new StringContent(value), name);
        var json = JsonContent.Create(new Dictionary<string, string> { ["image"] = Convert.ToBase64String(Photo), [name] = value });

        foreach (var content in (HttpContent[])[form, json])
        {
            using var answer = await frontend.Http.PostAsync(content);
            var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
            Assert.True(answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound, problem.ToString());
            Assert.Contains(said, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(before, await BoxesAsync(Asking.Form(Photo)));
    }

    [Fact]
    public async Task Fields_have_the_effect_of_the_query()
    {
        var query = await frontend.Http.PostAsync(Asking.Form(Photo), "?threshold=0.07&iou=0.9&max=2&labels=person,cat&timeout=20").AnswerAsync();
        var form = Asking.Form(Photo);
        foreach (var (name, value) in ((string, string)[])
            [("threshold", "0.07"), ("iou", " 0.9 "), ("max", "2"), ("labels", "person,cat"), ("timeout", "20"), ("model", "nanodet-g"), ("webhook", "")])
        {
            form.Add(new StringContent(value), name);
        }

        var image = Convert.ToBase64String(Photo);
        var fromForm = await frontend.Http.PostAsync(form).AnswerAsync();
        var fromJson = await frontend.Http.PostAsync(Json($$"""{"threshold":0.07,"iou":"0.9","max":2,"labels":["person","cat"],"timeout":20,"url":null,"image":"{{image}}"}""")).AnswerAsync();

        Assert.InRange(query.GetProperty("boxes").GetArrayLength(), 1, 2);
        foreach (var answer in (JsonElement[])[fromForm, fromJson])
        {
            Assert.Equal(query.GetProperty("boxes").GetRawText(), answer.GetProperty("boxes").GetRawText());
            Assert.Equal(0.07f, answer.GetProperty("threshold").GetSingle());
        }
    }

    [Fact]
    public async Task Asynchronous_request_with_parameters_in_the_body_has_them_in_its_location()
    {
        var photo = TestPictures.Unique(7310);
        var form = Asking.Form(photo);
        form.Add(new StringContent("true"), "async");
        form.Add(new StringContent("0.2"), "threshold");

        using var accepted = await frontend.Http.PostAsync(form);

        var text = await accepted.Content.ReadAsStringAsync();
        Assert.True(accepted.StatusCode == HttpStatusCode.Accepted, text);
        Assert.EndsWith("&threshold=0.2", accepted.Headers.Location!.ToString(), StringComparison.Ordinal);
        var answer = await frontend.Http.ReadAsync(accepted.Headers.Location + "&wait=20").AnswerAsync();
        Assert.Equal(TestPictures.ImageKey(photo), answer.GetProperty("imageKey").GetString());
    }

    [Fact]
    public async Task Two_pictures_and_a_parameter_in_two_places_are_refused_by_name()
    {
        var two = Asking.Form(Photo);
        two.Add(Asking.Bytes(Photo, "image/png"), "image", "second.png");
        var both = Asking.Form(Photo);
        both.Add(new StringContent("0.3"), "threshold");
        var twice = Asking.Form(Photo);
        twice.Add(new StringContent("0.3"), "threshold");
        twice.Add(new StringContent("0.4"), "threshold");

        await DetailAsync(two, "", "more than one 'image'");
        await DetailAsync(Json("""{"image":"AAAA","image":"AAAA"}"""), "", "more than one 'image'");
        await DetailAsync(both, "?threshold=0.3", "'threshold' is in the query and in the body");
        await DetailAsync(twice, "", "more than one 'threshold'");
        await DetailAsync(Json("""{"image":"AAAA","max":{"a":1}}"""), "", "'max' must be a text, a number, true or false");
        await DetailAsync(Json($$"""{"image":"AAAA","labels":[{{string.Join(',', Enumerable.Repeat("\"\"", 20_000))}}]}"""), "", "more than 8192 bytes");
        await DetailAsync(Json($$"""{"image":"AAAA","{{new string('n', 100_000)}}":1}"""), "", "unknown field");
        await frontend.Http.PostAsync(Asking.Form(Photo)).AnswerAsync();
    }

    [Fact]
    public async Task Url_in_a_form_is_fetched()
    {
        var photo = TestPictures.Unique(7311);
        var url = frontend.Pictures.Url("7311.jpg", photo);

        var answer = await frontend.Http.PostAsync(new MultipartFormDataContent { { new StringContent(url.ToString()), "url" } }).AnswerAsync();

        Assert.Equal(TestPictures.ImageKey(photo), answer.GetProperty("imageKey").GetString());
    }

    [Fact]
    public async Task Unknown_labels_are_refused_in_query_and_body()
    {
        var key = (await frontend.Http.PostAsync(Asking.Form(Photo)).AnswerAsync()).GetProperty("imageKey").GetString();

        foreach (var path in (string[])["", "/image", "/events"])
        {
            var problem = await frontend.Http.ReadAsync($"/v1/detections/{key}{path}?labels=dgo").ProblemAsync(400, "invalid-request");
            Assert.Contains("Did you mean 'dog'?", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        await frontend.Http.PostAsync(Asking.Form(Photo), "/batch?labels=dgo").ProblemAsync(400, "invalid-request");
        await frontend.Http.ReadAsync($"/v1/detections/{key}?labels=DOG").AnswerAsync();
    }

    [Fact]
    public async Task Fields_of_a_batch_are_read_before_the_pictures_or_in_each_line()
    {
        var image = Convert.ToBase64String(Photo);
        var lines = await LinesAsync(
            new StringContent($"{{\"image\":\"{image}\",\"threshold\":1}}\n{{\"image\":\"{image}\"}}\n{{\"image\":\"{image}\",\"treshold\":1}}\n{{\"image\":\"{image}\",\"labels\":\"dgo\"}}", Encoding.UTF8, "application/x-ndjson"));
        Assert.Equal(0, lines[0].GetProperty("result").GetProperty("boxes").GetArrayLength());
        Assert.NotEqual(0, lines[1].GetProperty("result").GetProperty("boxes").GetArrayLength());
        Assert.Contains("Did you mean 'threshold'?", lines[2].GetProperty("problem").GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("Did you mean 'dog'?", lines[3].GetProperty("problem").GetProperty("detail").GetString(), StringComparison.Ordinal);

        var before = new MultipartFormDataContent { { new StringContent("1"), "threshold" }, { Asking.Bytes(Photo, "image/png"), "image", "a.png" }, { Asking.Bytes(Photo, "image/png"), "image", "b.png" } };
        lines = await LinesAsync(before);
        Assert.Equal(2, lines.Count);
        Assert.All(lines, line => Assert.Equal(0, line.GetProperty("result").GetProperty("boxes").GetArrayLength()));

        var behind = Asking.Form(Photo);
        behind.Add(new StringContent("1"), "threshold");
        lines = await LinesAsync(behind);
        Assert.Contains("comes after a picture", lines.Single(line => !line.TryGetProperty("index", out _)).GetProperty("problem").GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private async Task DetailAsync(HttpContent content, string query, string said)
    {
        var problem = await frontend.Http.PostAsync(content, query).ProblemAsync(400, "invalid-request");
        Assert.Contains(said, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private async Task<string> BoxesAsync(HttpContent content) => (await frontend.Http.PostAsync(content).AnswerAsync()).GetProperty("boxes").GetRawText();

    /// <summary>The lines, in the order of the pictures.</summary>
    private async Task<List<JsonElement>> LinesAsync(HttpContent content)
    {
        using var response = await frontend.Http.PostAsync(new Uri("/v1/detections/batch", UriKind.Relative), content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return
        [
            .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
                .OrderBy(line => line.TryGetProperty("index", out var index) ? index.GetInt32() : int.MaxValue),
        ];
    }
}
