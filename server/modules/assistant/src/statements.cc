#include "statements.h"

namespace assistant {

std::string greeting(std::size_t exchanges_before, bool was_read) {
    const auto before = std::to_string(exchanges_before);
    return "你好，我是灵犀，这台服务器的 AI "
           "助手，是程序而不是人。在群里提到我（@assistant），或者单独给我发消息，我就会回答。"
           "交给模型的只有你写给我的这句话，连同你之前在这里问我的话和我的回答（最多 " +
           before +
           " 轮）；别人的话绝不交给它。我的回答都带有 AI "
           "标记，可能会出错。" +
           (was_read ? "" : "我来之前的消息我没有读过。") +
           "\n\n"
           "Hello, I am Lingxi, this server's AI assistant: a program, not a person. Mention me "
           "(@assistant), or write to "
           "me alone, and I answer. What you write to me goes to a model, together with what you asked me "
           "here before and my answers (up to " +
           before +
           " of each); never the words of others. My "
           "answers are marked as AI and may be wrong." +
           (was_read ? "" : " What was written before I came I have not read.");
}

std::string cannot_read() {
    return "这个聊天是端到端加密的，我没有设备密钥，读不到这里的消息。请在未加密的聊天里找我。\n\n"
           "This chat is end-to-end encrypted and I have no keys: I cannot read what is written here. Please "
           "write to me in "
           "a chat that is not encrypted.";
}

std::string interrupted(bool chinese) {
    return chinese ? "我在回答时服务器重启了，这个回答没有完成。请再问我一次。"
                   : "The server restarted while I was answering, so this answer was not finished. Please "
                     "ask me again.";
}

std::string sorry(const Refusal& refusal, bool chinese) {
    const std::string& code = refusal.error.code;
    if (code == "IM.LINGXI.AI_OFF") {
        return chinese ? "AI 助手已被关闭（由管理员，或在你的设置里），所以我不能回答。"
                       : "AI is switched off, by the administrator or in your settings, so I cannot answer.";
    }
    if (code == "IM.LINGXI.AI_FORBIDDEN_IN_ROOM") {
        return chinese ? "这个聊天不允许使用 AI，所以我不能在这里回答。"
                       : "This chat does not allow AI, so I cannot answer here.";
    }
    if (code == kNobodyToAsk) {
        return chinese
                   ? "这是转发来的消息，是别人的话。我只能把你自己写的话交给模型，请用你自己的话问我。"
                   : "This message was forwarded: the words are somebody else's. I may hand only your own "
                     "words to a model, so please ask me in your own.";
    }
    if (code == kTooManyQuestions) {
        return chinese
                   ? "还有太多问题在等我回答，这个我没有接下。请等我答完再问我。"
                   : "Too many questions are waiting for me already, so I did not take this one on. Please "
                     "ask me again when those are answered.";
    }
    if (code == kBudgetExhausted) {
        return chinese ? "今天的 AI 用量已经用完，明天再来问我吧。"
                       : "Today's AI allowance is used up. Please ask me again tomorrow.";
    }
    return chinese ? "现在没有可用的模型，我没法回答。请稍后再试，或请管理员检查模型设置。"
                   : "No model is available at the moment, so I cannot answer. Please try again later, or "
                     "ask the "
                     "administrator to check the model servers.";
}

std::string of_so_many(std::int64_t questions, bool chinese) {
    if (questions < 2) return {};
    const auto count = std::to_string(questions);
    return chinese ? "（你有 " + count + " 个问题都是如此。）"
                   : " (This goes for " + count + " of your questions.)";
}

std::string cut_short(bool chinese) {
    return chinese ? "……（回答太长，到这里为止）" : "… (the answer was too long and ends here)";
}

std::string nothing_said(bool chinese) {
    return chinese
               ? "模型想得太久，还没开始回答就到了上限。请换个简单些的问法再问我。"
               : "The model reached the limit of an answer before it had said anything. Please ask me again "
                 "in a simpler way.";
}

std::string taken_back(bool chinese) {
    return chinese
               ? "模型服务撤回了它的回答，所以这里不再显示。你可以换个说法再问我。"
               : "The model server took its answer back, so it is not shown here any more. You may ask me "
                 "again in other words.";
}

std::string broke_off(bool chinese) {
    return chinese ? "……（回答在这里中断了）" : "… (the answer broke off here)";
}

}  // namespace assistant
