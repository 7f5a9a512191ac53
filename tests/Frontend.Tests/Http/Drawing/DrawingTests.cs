using System.Globalization;
using Detection.Contracts.Requests;
using Detection.Contracts.Storage;
using StackExchange.Redis;

namespace Detection.Frontend.Tests.Http.Drawing;

/// <summary>Annotated pictures of <see cref="OneProcess"/>.</summary>
public sealed class DrawingTests(OneProcess frontend)
{
    private static readonly RedisKeys Keys = new();

    [Fact]
    public async Task Picture_with_a_result_that_cannot_be_drawn_gets_undecodable()
    {
        // As if the silo's codec read more than the front end's: the truncated picture has the result of the whole one.
        var photo = TestPictures.Unique(880);
        var truncated = photo[..(photo.Length / 2)];
        var answer = await frontend.Http.PostAsync(Asking.Bytes(photo, "image/jpeg")).AnswerAsync();
        var model = (await frontend.Http.ReadAsync("/v1/models/nanodet-g").AnswerAsync()).GetProperty("id").GetString()!;
        await using var redis = await ConnectionMultiplexer.ConnectAsync(
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{frontend.RedisPort},password={DetectionSettings.SomePassword}"));
        var result = await redis.GetDatabase().StringGetAsync(Keys.Result(new RequestKey(model, TestPictures.ImageKey(photo))));
        await redis.GetDatabase().StringSetAsync(Keys.Result(new RequestKey(model, TestPictures.ImageKey(truncated))), result, TimeSpan.FromMinutes(1));

        var known = await frontend.Http.PostAsync(Asking.Bytes(truncated, "image/jpeg")).AnswerAsync();
        var problem = await frontend.Http.PostAsync(Asking.Bytes(truncated, "image/jpeg"), accept: "image/jpeg").ProblemAsync(422, "undecodable");
        using var good = await frontend.Http.PostAsync(Asking.Bytes(photo, "image/jpeg"), accept: "image/jpeg");

        Assert.Equal(answer.GetProperty("boxes").GetArrayLength(), known.GetProperty("boxes").GetArrayLength());
        Assert.Equal("The picture has a result, but it cannot be drawn: The JPEG picture is truncated.", problem.GetProperty("detail").GetString());
        Assert.True(good.IsSuccessStatusCode);
    }
}
